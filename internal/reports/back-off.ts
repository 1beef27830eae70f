const FIRST_SECONDS = 10;
const LONGEST_SECONDS = 15 * 60;

/** How long to wait after so many tries in vain; longer, when GitHub asks for it. */
export function waitSeconds(attempts: number, asked: number | null): number {
  const own = Math.min(FIRST_SECONDS * 2 ** Math.min(attempts - 1, 20), LONGEST_SECONDS);
  return Math.max(own, asked ?? 0);
}
