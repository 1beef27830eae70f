import type { OutputPiece } from '../ports.ts';

/** Two full files of 10 MB: Docker drops nothing before. Less than that, for what is escaped in its files. */
const KEPT_BYTES = 16_000_000;
/** What Docker writes beside the text of a piece. */
const AROUND_PIECE_BYTES = 70;

/** Tells, in the first reading of an output, when it is so large that Docker may have dropped its beginning already. */
export class LostBeginning {
  #bytes = 0;

  /** True once: with the piece by which the output is too large. */
  isFoundAt({ bytes }: OutputPiece): boolean {
    const before = this.#bytes;
    this.#bytes += bytes.length + AROUND_PIECE_BYTES;
    return before < KEPT_BYTES && this.#bytes >= KEPT_BYTES;
  }
}
