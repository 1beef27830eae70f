import type { NewLine } from './append-lines.ts';

/** What a line costs in memory beside its text. */
const LINE_OVERHEAD_BYTES = 100;

/** Lines that wait to be stored, in batches of a bounded size. */
export class LineQueue {
  readonly #limits: { readonly batchLines: number; readonly batchBytes: number };
  readonly #batches: NewLine[][] = [];
  #lastBatchCost = 0;
  #cost = 0;

  constructor(limits: { readonly batchLines: number; readonly batchBytes: number }) {
    this.#limits = limits;
  }

  /** Bytes in memory, about. */
  get cost(): number {
    return this.#cost;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** A batch is full: there is no reason to wait for more lines. */
  get hasFullBatch(): boolean {
    return this.#batches.length > 1 || (this.#batches[0]?.length ?? 0) >= this.#limits.batchLines;
  }

  get length(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.length, 0);
  }

  push(line: NewLine): void {
    const cost = costOf(line);
    const last = this.#batches.at(-1);
    const fits =
      last && last.length < this.#limits.batchLines && this.#lastBatchCost + cost <= this.#limits.batchBytes;
    if (fits) last.push(line);
    else this.#batches.push([line]);
    this.#lastBatchCost = fits ? this.#lastBatchCost + cost : cost;
    this.#cost += cost;
  }

  /** Takes the oldest batch out; its lines count until `settle` is called with it. */
  take(): readonly NewLine[] | undefined {
    return this.#batches.shift();
  }

  settle(batch: readonly NewLine[]): void {
    for (const line of batch) this.#cost -= costOf(line);
  }
}

function costOf(line: NewLine): number {
  return line.text.length + LINE_OVERHEAD_BYTES;
}
