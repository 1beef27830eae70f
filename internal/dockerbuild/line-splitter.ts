import { StringDecoder } from 'node:string_decoder';

const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;

/** Lines out of bytes as they come. One longer than 4 MB is passed over, so that what is held stays bounded. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #skipping = false;

  /** The lines that are complete with this chunk. */
  push(chunk: Buffer | string): string[] {
    const lines = (this.#rest + (typeof chunk === 'string' ? chunk : this.#decoder.write(chunk))).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#skipping && lines.length > 0) {
      lines.shift();
      this.#skipping = false;
    }
    if (this.#rest.length > MAX_LINE_CHARACTERS) {
      this.#rest = '';
      this.#skipping = true;
    }
    return lines;
  }

  /** What was left without a line end. */
  end(): string[] {
    return this.#skipping ? [] : [this.#rest + this.#decoder.end()];
  }
}
