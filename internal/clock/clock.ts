import { setTimeout as delay } from 'node:timers/promises';

/** Time as a collaborator, so that what waits can be tested without waiting. */
export interface Clock {
  /** Milliseconds of a monotonic clock: for durations, never for dates (those are the database's). */
  now(): number;
  /** Waits; rejects with the signal's reason as soon as it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(milliseconds, signal) {
    try {
      await delay(milliseconds, undefined, signal ? { signal } : {});
    } catch (error) {
      // timers/promises wraps the reason in its own AbortError; callers decide by the reason itself.
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
