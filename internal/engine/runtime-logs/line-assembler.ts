import type { OutputPiece } from '../ports.ts';

/** A longer line is cut here; a secret across such a cut is not masked. */
const MAX_LINE_BYTES = 64 * 1024;

export interface OutputLine {
  readonly stream: 'stdout' | 'stderr';
  readonly at: Date;
  readonly text: string;
}

interface OpenLine {
  readonly ns: bigint;
  readonly parts: Buffer[];
  bytes: number;
}

/** Puts the pieces of long lines together, each stream by itself, and only then makes text of them. */
export class LineAssembler {
  readonly #open = new Map<OutputPiece['stream'], OpenLine>();

  get hasOpenLine(): boolean {
    return this.#open.size > 0;
  }

  /** The line that this piece completes, or null. */
  push(piece: OutputPiece): OutputLine | null {
    const open = this.#open.get(piece.stream) ?? { ns: piece.ns, parts: [], bytes: 0 };
    open.parts.push(piece.bytes);
    open.bytes += piece.bytes.length;
    if (piece.endsLine || open.bytes >= MAX_LINE_BYTES) {
      this.#open.delete(piece.stream);
      return lineOf(piece.stream, open);
    }
    this.#open.set(piece.stream, open);
    return null;
  }

  /** The lines whose end has not come; what comes of them later begins a line of its own. */
  flush(): OutputLine[] {
    const lines = [...this.#open].map(([stream, open]) => lineOf(stream, open));
    this.#open.clear();
    return lines;
  }
}

function lineOf(stream: OutputPiece['stream'], { ns, parts }: OpenLine): OutputLine {
  const [first] = parts;
  const bytes = parts.length === 1 && first ? first : Buffer.concat(parts);
  return { stream, at: new Date(Number(ns / 1_000_000n)), text: bytes.toString('utf8') };
}
