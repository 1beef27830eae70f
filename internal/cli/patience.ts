import { setTimeout as delay } from 'node:timers/promises';
import { isPassing } from './explain-answer.ts';

export interface PatienceLimits {
  /** How long an API that is away is waited for, in all. */
  readonly outageMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** Longer than a host takes to start again. */
export const PATIENCE: PatienceLimits = { outageMs: 180_000, firstPauseMs: 500, longestPauseMs: 5_000 };

/** Waits out an API that restarts: pauses that grow, and an end to it. */
export class Patience {
  readonly #limits: PatienceLimits;
  readonly #signal: AbortSignal;
  readonly #onOutage: () => void;
  #since: number | null = null;
  #pauseMs = 0;

  /** `onOutage` is called once for each, when it begins. */
  constructor(options: { signal: AbortSignal; limits?: PatienceLimits; onOutage?: () => void }) {
    this.#signal = options.signal;
    this.#limits = options.limits ?? PATIENCE;
    this.#onOutage = options.onOutage ?? (() => undefined);
  }

  /** It works again: what comes next is another outage. */
  reset(): void {
    this.#since = null;
  }

  /** @throws `error` itself when it will not pass, or has not for too long; the signal's reason when that is aborted */
  async pauseAfter(error: unknown): Promise<void> {
    this.#signal.throwIfAborted();
    if (!isPassing(error)) throw error;
    if (this.#since === null) {
      this.#since = performance.now();
      this.#pauseMs = this.#limits.firstPauseMs;
      this.#onOutage();
    }
    if (performance.now() - this.#since > this.#limits.outageMs) throw error;
    await delay(this.#pauseMs, undefined, { signal: this.#signal }).catch(() => undefined);
    this.#signal.throwIfAborted();
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#limits.longestPauseMs);
  }

  /** The same call again until it works. */
  async ask<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await call();
        this.reset();
        return answer;
      } catch (error) {
        await this.pauseAfter(error);
      }
    }
  }
}
