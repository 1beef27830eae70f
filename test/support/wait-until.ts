import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks until the answer is neither false, null nor undefined, and gives that answer.
 * @throws when the time is over, with `what` and, where given, the words of `explain`.
 */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  options: { timeoutMs?: number; intervalMs?: number; explain?: () => string | Promise<string> } = {},
): Promise<T> {
  const { timeoutMs = 30_000, intervalMs = 50, explain } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (performance.now() > deadline) {
      const details = explain ? `\n${await explain()}` : '';
      throw new Error(`waited ${timeoutMs} ms in vain: ${what}${details}`);
    }
    await delay(intervalMs);
  }
}
