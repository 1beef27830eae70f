/**
 * One piece of work per key at a time, in the order they came. Deliveries to one app wait for each other in the database
 * anyway; waiting here instead, a flood for one app holds one connection and not all there are.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = done.catch(() => undefined);
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return done;
  }

  /** How many keys have work that is not done. */
  get size(): number {
    return this.#last.size;
  }
}
