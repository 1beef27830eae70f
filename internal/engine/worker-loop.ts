import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../logger/logger.ts';

/** A bell that a sleeper can be woken by; rung while nobody sleeps, the next sleep ends at once. */
export class Bell {
  #ring: (() => void) | null = null;
  #rung = false;

  ring(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Waits until it rings, the time is over or the signal is aborted. */
  async wait(milliseconds: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const woken = new AbortController();
      this.#ring = () => woken.abort();
      await clock.sleep(milliseconds, AbortSignal.any([woken.signal, signal])).catch(() => undefined);
      this.#ring = null;
    }
    this.#rung = false;
  }
}

export interface LoopOptions {
  /** Takes one piece of work; null: there is none now. It runs beside others until it settles. */
  readonly take: () => Promise<{ readonly done: Promise<void> } | null>;
  readonly concurrency: number;
  readonly pollIntervalMs: number;
  readonly bell: Bell;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Takes work while there is some and a free slot, else sleeps until the poll interval is over or the bell rings.
 * Knows nothing of the work. Returns when the signal is aborted and everything taken has settled.
 */
export async function runWorkerLoop(options: LoopOptions): Promise<void> {
  const { bell, clock, logger, signal } = options;
  const running = new Set<Promise<void>>();
  while (!signal.aborted) {
    try {
      while (running.size < options.concurrency && !signal.aborted) {
        const work = await options.take();
        if (work === null) break;
        const settled = work.done
          .catch((error: unknown) => logger.error({ err: error }, 'work ended with an error'))
          .finally(() => {
            running.delete(settled);
            bell.ring();
          });
        running.add(settled);
      }
    } catch (error) {
      logger.warn({ err: error }, 'could not look for work');
    }
    await bell.wait(options.pollIntervalMs, clock, signal);
  }
  await Promise.all(running);
}
