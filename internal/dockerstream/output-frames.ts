const HEADER_LENGTH = 8;
/** The daemon writes frames of at most some 16 KB; a larger length means we lost our place in the stream. */
const MAX_FRAME_LENGTH = 1024 * 1024;

export interface OutputFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

/**
 * Takes apart the stream of a container without TTY (Docker Engine API, "Stream format"). Ours, since dockerode's
 * `demuxStream` never ends its outputs and passes everything through after a bad header.
 */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The frames that are complete with this chunk. @throws on a header that cannot be one */
  push(chunk: Buffer): OutputFrame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: OutputFrame[] = [];
    while (this.#pending.length >= HEADER_LENGTH) {
      const kind = this.#pending[0] ?? 0;
      const length = this.#pending.readUInt32BE(4);
      if (kind > 3 || length > MAX_FRAME_LENGTH) throw new Error('not a stream of Docker output frames');
      const end = HEADER_LENGTH + length;
      if (this.#pending.length < end) break;
      frames.push({
        stream: kind === 2 ? 'stderr' : 'stdout',
        data: this.#pending.subarray(HEADER_LENGTH, end),
      });
      this.#pending = this.#pending.subarray(end);
    }
    return frames;
  }
}
