import type { OutputFrame } from '../dockerstream/output-frames.ts';
import type { OutputPiece } from '../engine/ports.ts';

/** `2026-11-21T06:30:54.591122550Z`, always nine digits. */
const TIME_LENGTH = 30;
const SECONDS_LENGTH = 19;
const LINE_END = 0x0a;
const SPACE = 0x20;

/**
 * Reads the frames of a log that was asked for with timestamps: Docker puts one before each piece, also before the
 * further pieces of a long line, and only the last piece has the line end.
 */
export class PieceReader {
  #secondsText = '';
  #secondsNs = 0n;

  /** @throws on a frame without a time */
  read({ stream, data }: OutputFrame): OutputPiece {
    const endsLine = data.at(-1) === LINE_END;
    const bytes = data.subarray(TIME_LENGTH + 1, endsLine ? -1 : data.length);
    return { stream, ns: this.#time(data), bytes, endsLine };
  }

  #time(data: Buffer): bigint {
    const time = data.toString('latin1', 0, TIME_LENGTH);
    const seconds = time.slice(0, SECONDS_LENGTH);
    if (seconds !== this.#secondsText) {
      const milliseconds = Date.parse(`${seconds}Z`);
      if (Number.isNaN(milliseconds) || data[TIME_LENGTH] !== SPACE) {
        throw new Error('a line of Docker has no time before it');
      }
      this.#secondsText = seconds;
      this.#secondsNs = BigInt(milliseconds) * 1_000_000n;
    }
    return this.#secondsNs + BigInt(Number(time.slice(SECONDS_LENGTH + 1, -1)));
  }
}
