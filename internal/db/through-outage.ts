import { setTimeout as delay } from 'node:timers/promises';
import { isDatabaseUnavailable } from './database-unavailable.ts';

/** A restart of Postgres takes seconds; what is away for longer is the caller's to know. */
const PATIENCE_MS = 15_000;
const TRY_AGAIN_MS = 250;

/**
 * Does it again while the database is away. Only for what may be done twice: the answer to a try may have been lost
 * after its commit.
 * @throws what the last try threw, when the patience is over or the signal is aborted
 */
export async function throughOutage<T>(
  work: () => Promise<T>,
  { patienceMs = PATIENCE_MS, signal }: { patienceMs?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const began = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const mayWait = isDatabaseUnavailable(error) && performance.now() - began < patienceMs;
      if (!mayWait || signal?.aborted) throw error;
    }
    await delay(TRY_AGAIN_MS, undefined, signal && { signal }).catch(() => undefined);
  }
}
