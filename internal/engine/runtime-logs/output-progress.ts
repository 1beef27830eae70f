import type { CursorPlace } from '../../logs/log-cursor.ts';
import type { OutputPiece } from '../ports.ts';

/** How far one stream may lag behind the other in Docker's file: each is stamped and written by a thread of its own. */
const SLACK_NS = 10_000_000_000n;

interface StreamProgress {
  ns: bigint;
  /** Pieces of that time that were taken … */
  count: number;
  /** … and that were met in this telling of the log. */
  met: number;
  /** The last time met in this telling. */
  metNs: bigint;
  /** The last piece taken was not the end of its line. */
  isOpen: boolean;
}

/**
 * Which pieces of a container's output are new. Within a stream times never fall, so one that does means that the log is
 * told again: from a cursor, or because the Engine repeats itself (20.10 tells its whole current file again when a
 * container ends whose log was rotated meanwhile).
 */
export class OutputProgress {
  readonly #streams: Record<'stdout' | 'stderr', StreamProgress>;
  readonly #hasCursor: boolean;
  #hasMetTaken = false;

  constructor(from: CursorPlace) {
    // Whether the last line was complete is not stored; met pieces are counted, so it makes no difference.
    const begin = (ns: bigint, count: number) => ({ ns, count, met: 0, metNs: 0n, isOpen: true });
    this.#streams = {
      stdout: begin(from.stdoutNs, from.stdoutCount),
      stderr: begin(from.stderrNs, from.stderrCount),
    };
    this.#hasCursor = from.stdoutNs > 0n || from.stderrNs > 0n;
  }

  /** Where to read from, so that at least the last taken piece comes again. */
  static startOf({ stdoutNs, stderrNs }: CursorPlace): bigint {
    const last = stdoutNs > stderrNs ? stdoutNs : stderrNs;
    return last > SLACK_NS ? last - SLACK_NS : 0n;
  }

  /** True for a piece that was not taken before; from now on it is. */
  take(piece: OutputPiece): boolean {
    const stream = this.#streams[piece.stream];
    if (piece.ns < stream.metNs) this.#beginAgain();
    stream.metNs = piece.ns;
    const isNew = isLater(stream, piece.ns);
    if (isNew) stream.isOpen = !piece.endsLine;
    else this.#hasMetTaken = true;
    return isNew;
  }

  /**
   * Asked when the first new piece has come: was the last taken one not told again before it? Then Docker had rotated it
   * away already, and nobody knows what else behind it.
   */
  get hasGap(): boolean {
    return this.#hasCursor && !this.#hasMetTaken;
  }

  get place(): CursorPlace {
    const { stdout, stderr } = this.#streams;
    return { stdoutNs: stdout.ns, stdoutCount: stdout.count, stderrNs: stderr.ns, stderrCount: stderr.count };
  }

  #beginAgain(): void {
    for (const stream of Object.values(this.#streams)) Object.assign(stream, { met: 0, metNs: 0n });
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
