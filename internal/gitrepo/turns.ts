import { untilAborted } from './until-aborted.ts';

/** Lets those who name the same thing pass one after the other, in the order they came. Of this process only. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Waits until the ones before are done, but no longer than that; then it is the caller's turn all the same.
   * @returns ends the turn; to be called once
   * @throws the signal's reason
   */
  async take(name: string, options: { signal: AbortSignal; atMostMs: number }): Promise<() => void> {
    const before = this.#last.get(name);
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const mine = (before ?? Promise.resolve()).then(() => ended);
    this.#last.set(name, mine);
    void mine.then(() => {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    });
    try {
      if (before) await waitFor(before, options);
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }
}

async function waitFor(
  before: Promise<void>,
  { signal, atMostMs }: { signal: AbortSignal; atMostMs: number },
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, atMostMs);
  });
  try {
    await untilAborted(Promise.race([before, late]), signal);
  } finally {
    clearTimeout(timer);
  }
}
