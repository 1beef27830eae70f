/** The same numbers for the same seed (mulberry32): what was done in a run that failed can be done again. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From `min` up to, not including, `max`. */
  between(min: number, max: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return min + (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (max - min);
  }

  chance(share: number): boolean {
    return this.between(0, 1) < share;
  }

  pick<T>(of: readonly T[]): T {
    const found = of[Math.floor(this.between(0, of.length))];
    if (found === undefined) throw new Error('there is nothing to pick from');
    return found;
  }
}
