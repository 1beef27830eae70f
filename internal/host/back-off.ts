const FIRST_MS = 200;
const LONGEST_MS = 10_000;
/** A process that stayed up this long has proved itself; its next failure counts as the first. */
const PROVEN_MS = 30_000;

/** How long to wait before the next start: 0.2 s doubling to 10 s, from the start again after 30 s up. */
export function nextBackOff(previousMs: number | null, upMs: number): number {
  if (previousMs === null || upMs >= PROVEN_MS) return FIRST_MS;
  return Math.min(previousMs * 2, LONGEST_MS);
}
