import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Job, Tools } from './job.ts';

/** What a proxy lacks that does not answer at all. */
export const SILENCE = 'Traefik does not answer';

/** One that is away takes no release at all, so it is waited for, and judged when it is back. */
const PATIENCE_MS = 300_000;
const TELL_AFTER_MS = 2_000;

/** Whether the proxy answers at all; tells the one who deploys when it does not, and when it does again (F43). */
export class ProxyPresence {
  readonly #job: Job;
  readonly #clock: Tools['clock'];
  #awaySince: number | null = null;
  #isTold = false;

  constructor(job: Job, { clock }: Tools) {
    this.#job = job;
    this.#clock = clock;
  }

  /** @throws DeploymentFailed when it has been away for too long */
  isAway(missing: string): boolean {
    if (missing !== SILENCE) {
      if (this.#isTold) this.#job.say({ text: 'The proxy answers again', level: 'deploy' });
      this.#isTold = false;
      this.#awaySince = null;
      return false;
    }
    this.#awaySince ??= this.#clock.now();
    const awayMs = this.#clock.now() - this.#awaySince;
    if (awayMs > PATIENCE_MS) {
      throw new DeploymentFailed(
        'route_not_active',
        `The proxy did not answer for ${PATIENCE_MS / 60_000} minutes.`,
      );
    }
    if (awayMs > TELL_AFTER_MS && !this.#isTold) {
      this.#isTold = true;
      this.#job.say({ text: 'The proxy (Traefik) does not answer; waiting for it', level: 'warning' });
    }
    return true;
  }
}
