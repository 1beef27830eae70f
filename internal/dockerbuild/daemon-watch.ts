import type Dockerode from 'dockerode';
import { withDeadline } from './deadline.ts';
import { readJsonLines } from './read-json-lines.ts';

const PING_MILLISECONDS = 5000;

/**
 * Tells of the daemon that began a build whether it is still there at the build's end, and which containers ran out of
 * memory. A daemon that is stopped kills the running step with the same exit code (137) as the kernel does for lack of
 * memory; its event stream then ends, even if it is back soon.
 */
export class DaemonWatch {
  readonly #docker: Dockerode;
  readonly #closed = new AbortController();
  readonly #outOfMemory = new Set<string>();
  #lost = false;

  private constructor(docker: Dockerode) {
    this.#docker = docker;
  }

  /** Watches until `close`, or until `stop` is aborted. @throws DeploymentFailed docker_unavailable */
  static async open(docker: Dockerode, stop: AbortSignal): Promise<DaemonWatch> {
    const watch = new DaemonWatch(docker);
    const abortSignal = AbortSignal.any([watch.#closed.signal, stop]);
    const asked = docker.getEvents({ filters: { type: ['container'], event: ['oom'] }, abortSignal });
    const events = await withDeadline(asked).catch((error: unknown) => {
      watch.close();
      throw error;
    });
    void watch.#read(events);
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

  /** Something in the container was killed for lack of memory. */
  ranOutOfMemory(containerId: string): boolean {
    return [...this.#outOfMemory].some((id) => id.startsWith(containerId));
  }

  close(): void {
    this.#closed.abort();
  }

  async #read(events: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const event of readJsonLines(events)) {
        const id = typeof event === 'object' && event !== null ? Reflect.get(event, 'id') : null;
        if (typeof id === 'string') this.#outOfMemory.add(id);
      }
    } catch {
      // Broken off: the same as ended.
    }
    this.#lost = true;
  }
}
