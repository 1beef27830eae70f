/** What a container may write in a burst, and in the long run; more would make its log the machine's main work. */
export const BURST_LINES = 100_000;
export const LINES_PER_SECOND = 5_000;

/**
 * Decides by a container's own time which of its lines are taken, so that the answer does not depend on how late and how
 * fast they are read. A line that is not taken costs next to nothing, so reading keeps pace with the writer.
 */
export class LineRate {
  #saved = BURST_LINES;
  #lastMs = 0;
  #isOver = false;
  #dropped = 0;

  /** More came than may; a second's worth is saved up before lines are taken again, so markers are few. */
  get isOver(): boolean {
    return this.#isOver;
  }

  take(at: Date): boolean {
    const now = at.getTime();
    const passed = this.#lastMs === 0 ? 0 : Math.max(0, now - this.#lastMs);
    this.#lastMs += this.#lastMs === 0 ? now : passed;
    this.#saved = Math.min(BURST_LINES, this.#saved + (passed / 1000) * LINES_PER_SECOND);
    this.#isOver = this.#isOver ? this.#saved < LINES_PER_SECOND : this.#saved < 1;
    if (this.#isOver) this.#dropped += 1;
    else this.#saved -= 1;
    return !this.#isOver;
  }

  /** How many were dropped since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
