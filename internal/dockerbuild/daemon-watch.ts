import type Dockerode from 'dockerode';
import { withDeadline } from './deadline.ts';

const PING_MILLISECONDS = 5000;

/**
 * Tells whether the daemon that began a build is still there at its end. A daemon that is stopped kills the running step
 * with the same exit code (137) as the kernel does for lack of memory; its event stream then ends, even if it is back soon.
 */
export class DaemonWatch {
  readonly #docker: Dockerode;
  readonly #closed = new AbortController();
  #lost = false;

  private constructor(docker: Dockerode) {
    this.#docker = docker;
  }

  /** Watches until `close`, or until `stop` is aborted. */
  static async open(docker: Dockerode, stop: AbortSignal): Promise<DaemonWatch> {
    const watch = new DaemonWatch(docker);
    const events = await docker.getEvents({
      filters: { type: ['daemon'] },
      abortSignal: AbortSignal.any([watch.#closed.signal, stop]),
    });
    const lose = () => {
      watch.#lost = true;
    };
    events.on('error', lose).on('end', lose).on('close', lose).resume();
    return watch;
  }

  async isUnbroken(): Promise<boolean> {
    try {
      await withDeadline(this.#docker.ping(), PING_MILLISECONDS);
      return !this.#lost;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#closed.abort();
  }
}
