import type { CursorPlace } from '../../logs/log-cursor.ts';
import type { OutputPiece } from '../ports.ts';

/** How far one stream may lag behind the other in Docker's file: each is stamped and written by a thread of its own. */
const SLACK_NS = 10_000_000_000n;

interface StreamProgress {
  ns: bigint;
  /** Pieces of that time that were taken … */
  count: number;
  /** … and that were met in this reading. */
  met: number;
  /** Any piece of the stream was met in this reading. */
  isMet: boolean;
  /** The last piece taken was not the end of its line. */
  isOpen: boolean;
}

/**
 * Which pieces of a container's output are new. Each reading tells a part of it, in the order of writing, and may tell
 * again what was taken before: within a stream times never fall.
 */
export class OutputProgress {
  readonly #streams: Record<'stdout' | 'stderr', StreamProgress>;

  constructor(from: CursorPlace) {
    // Whether the last line was complete is not stored; met pieces are counted, so it makes no difference.
    const begin = (ns: bigint, count: number) => ({ ns, count, met: 0, isMet: false, isOpen: true });
    this.#streams = {
      stdout: begin(from.stdoutNs, from.stdoutCount),
      stderr: begin(from.stderrNs, from.stderrCount),
    };
  }

  /** Nothing was taken yet. */
  get isAtStart(): boolean {
    return this.#streams.stdout.ns === 0n && this.#streams.stderr.ns === 0n;
  }

  /** Where to read from, so that at least the last taken piece comes again. */
  get startNs(): bigint {
    const { stdout, stderr } = this.#streams;
    const last = stdout.ns > stderr.ns ? stdout.ns : stderr.ns;
    return last > SLACK_NS ? last - SLACK_NS : 0n;
  }

  beginReading(): void {
    for (const stream of Object.values(this.#streams)) Object.assign(stream, { met: 0, isMet: false });
  }

  /**
   * The reading begins with this piece, and it is new: whatever was written between the last taken one and this one is
   * not told.
   */
  isBehindGap(piece: OutputPiece): boolean {
    const { stdout, stderr } = this.#streams;
    const isFirst = !stdout.isMet && !stderr.isMet;
    return isFirst && !this.isAtStart && piece.ns > this.#streams[piece.stream].ns;
  }

  /** The reading may begin inside the long line of which a part was taken: its pieces could not be counted. */
  isInsideLine(piece: OutputPiece): boolean {
    const stream = this.#streams[piece.stream];
    return piece.ns === stream.ns && stream.isOpen && !stream.isMet;
  }

  /** True for a piece that was not taken before; from now on it is. */
  take(piece: OutputPiece): boolean {
    const stream = this.#streams[piece.stream];
    stream.isMet = true;
    const isNew = isLater(stream, piece.ns);
    if (isNew) stream.isOpen = !piece.endsLine;
    return isNew;
  }

  get place(): CursorPlace {
    const { stdout, stderr } = this.#streams;
    return { stdoutNs: stdout.ns, stdoutCount: stdout.count, stderrNs: stderr.ns, stderrCount: stderr.count };
  }
}

/** Of the same time are the further pieces of one long line, and repetitions. */
function isLater(stream: StreamProgress, ns: bigint): boolean {
  if (ns < stream.ns) return false;
  if (ns > stream.ns) {
    Object.assign(stream, { ns, count: 1, met: 1 });
    return true;
  }
  stream.met += 1;
  if (!stream.isOpen || stream.met <= stream.count) return false;
  stream.count = stream.met;
  return true;
}
