import { setTimeout as delay } from 'node:timers/promises';
import type { LineSink } from '../engine/ports.ts';
import { BaseImageUnavailable } from './build-failure.ts';

/** Before the second, third and fourth try. */
export const PULL_PAUSES_MS: readonly number[] = [1_000, 3_000, 9_000];

/** Builds again where a base image could not be pulled for a reason that may pass (F47). */
export async function pullAgain<T>(
  build: () => Promise<T>,
  { pausesMs, onLine, signal }: { pausesMs: readonly number[]; onLine: LineSink; signal: AbortSignal },
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await build();
    } catch (error) {
      if (!(error instanceof BaseImageUnavailable && error.isPassing)) throw error;
      onLine({ text: `${error.message} Trying again in ${pauseMs / 1000} s.`, level: 'warning' });
    }
    await delay(pauseMs, undefined, { signal });
  }
  try {
    return await build();
  } catch (error) {
    if (error instanceof BaseImageUnavailable && error.isPassing) throw error.afterTries(pausesMs.length + 1);
    throw error;
  }
}
