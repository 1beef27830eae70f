import { copyFileSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const CAP_BYTES = 20 * 1024 * 1024;

/**
 * Logs of what `bin/up` starts. Children write to the file themselves, so they survive their supervisor, and a full
 * file is copied aside and cut to zero; opened for appending, the next line then begins at the start.
 */
export class LogFile {
  readonly path: string;
  readonly #capBytes: number;

  constructor(dataDir: string, name: string, capBytes: number = CAP_BYTES) {
    const directory = join(dataDir, 'log');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.path = join(directory, `${name}.log`);
    this.#capBytes = capBytes;
  }

  /** A descriptor to hand to a child; the caller closes its own copy. */
  open(): number {
    return openSync(this.path, 'a', 0o600);
  }

  /** Keeps at most one older file beside the current one. */
  rotate(): void {
    const size = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < this.#capBytes) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path, 0);
  }

  /** The last lines, for a person who has to know why something did not start. */
  tail(lines: number): string[] {
    try {
      return readFileSync(this.path, 'utf8').trimEnd().split('\n').slice(-lines);
    } catch {
      return [];
    }
  }
}
