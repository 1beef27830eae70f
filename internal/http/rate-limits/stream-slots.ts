import { AppError } from '../../errors/app-error.ts';

/** Streams do not end by themselves, so a client that comes too early will come too early again. */
const RETRY_AFTER_SECONDS = 10;

/** How many streams each user has open in this process. */
export class StreamSlots {
  readonly #perUser: number;
  readonly #open = new Map<string, number>();

  constructor(perUser: number) {
    this.#perUser = perUser;
  }

  /** Holds a place until the returned function is called, which may be called again. @throws AppError rate_limited */
  hold(userId: string): () => void {
    const open = this.#open.get(userId) ?? 0;
    if (open >= this.#perUser) {
      throw new AppError(
        'rate_limited',
        `You have ${open} streams open, and more are not allowed at a time; close one.`,
        { retryAfterSeconds: RETRY_AFTER_SECONDS },
      );
    }
    this.#open.set(userId, open + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#release(userId);
      isHeld = false;
    };
  }

  #release(userId: string): void {
    const left = (this.#open.get(userId) ?? 0) - 1;
    if (left > 0) this.#open.set(userId, left);
    else this.#open.delete(userId);
  }
}
