import type { Clock } from '../../clock/clock.ts';
import type { RuntimeLogs } from '../ports.ts';
import { Bell } from '../worker-loop.ts';

/** Rings when a container has written something or has ended. What it wrote is read elsewhere. */
export class OutputBell {
  readonly #bell = new Bell();
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #end: { readonly error: unknown } | 'ended' | null = null;

  constructor(runtimeLogs: RuntimeLogs, containerId: string, of: { clock: Clock; signal: AbortSignal }) {
    this.#clock = of.clock;
    this.#signal = of.signal;
    const end = (how: { readonly error: unknown } | 'ended') => {
      this.#end = how;
      this.#bell.ring();
    };
    runtimeLogs
      .listen(containerId, () => this.#bell.ring(), of.signal)
      .then(
        () => end('ended'),
        (error: unknown) => end({ error }),
      );
  }

  /** It will write no more. */
  get hasEnded(): boolean {
    return this.#end === 'ended';
  }

  /** Waits until it rings, also if it did before and nobody waited, or the time is over. @throws when it is broken */
  async wait(milliseconds: number): Promise<void> {
    if (this.#end === null) await this.#bell.wait(milliseconds, this.#clock, this.#signal);
    this.#signal.throwIfAborted();
    if (this.#end !== null && this.#end !== 'ended') throw this.#end.error;
  }
}
