import type { Tools } from './job.ts';
import { type Duty, dropDuty, holdDuty } from './leader-store.ts';

type DutyTools = Pick<Tools, 'prisma' | 'clock' | 'logger'>;

/**
 * A duty that this worker takes as soon as nobody else has it, and renews from a timer of its own, so that long work
 * under it does not lose it. Work that must not go on without it listens to `signal`.
 */
export class HeldDuty {
  readonly #tools: DutyTools;
  readonly #duty: Duty;
  readonly #worker: { readonly id: string; readonly leaseSeconds: number };
  readonly #timer: NodeJS.Timeout;
  readonly #onTaken: () => void;
  #held: { readonly lost: AbortController; renewedAt: number } | null = null;
  #renewing: Promise<void>;

  /** @param of.onTaken is called when it is this worker's now */
  constructor(
    tools: DutyTools,
    duty: Duty,
    of: { worker: { id: string; leaseSeconds: number }; onTaken: () => void },
  ) {
    this.#tools = tools;
    this.#duty = duty;
    this.#worker = of.worker;
    this.#onTaken = of.onTaken;
    this.#renewing = this.#renew();
    const every = (of.worker.leaseSeconds * 1000) / 3;
    this.#timer = setInterval(() => {
      this.#renewing = this.#renew();
    }, every).unref();
  }

  /** Aborted when the duty is lost; null: another worker has it. */
  get signal(): AbortSignal | null {
    return this.#held?.lost.signal ?? null;
  }

  /** Lets another worker have it at once. */
  async drop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    this.#lose();
    await dropDuty(this.#tools.prisma, this.#duty, this.#worker.id).catch(() => undefined);
  }

  async #renew(): Promise<void> {
    const { prisma, clock, logger } = this.#tools;
    const askedAt = clock.now();
    try {
      if (!(await holdDuty(prisma, this.#duty, this.#worker))) this.#lose();
      else if (this.#held) this.#held.renewedAt = askedAt;
      else {
        this.#held = { lost: new AbortController(), renewedAt: askedAt };
        this.#onTaken();
      }
    } catch (error) {
      // The lease outlives a short absence of the database, and no longer.
      logger.warn({ err: error, duty: this.#duty }, 'duty not renewed');
      const { leaseSeconds } = this.#worker;
      if (this.#held && clock.now() - this.#held.renewedAt > leaseSeconds * 1000) this.#lose();
    }
  }

  #lose(): void {
    this.#held?.lost.abort(new Error(`the duty ${this.#duty} is lost`));
    this.#held = null;
  }
}
