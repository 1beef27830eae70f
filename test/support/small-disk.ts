import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own (tmpfs), so small that a test can fill it. */
export class SmallDisk {
  readonly path: string;
  #fillers: string[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static mount(size: { megabytes: number; inodes?: number }): SmallDisk {
    const path = mkdtempSync(join(tmpdir(), 'berth-disk-'));
    try {
      const options = `size=${size.megabytes}m,nr_inodes=${size.inodes ?? 0},mode=0711`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
    } catch (error) {
      rmdirSync(path);
      throw error;
    }
    return new SmallDisk(path);
  }

  /** May this process mount at all? It needs root, and in a container more than that. */
  static readonly isPossible = (() => {
    try {
      SmallDisk.mount({ megabytes: 1 }).unmount();
      return true;
    } catch {
      return false;
    }
  })();

  /** Not a byte is left. */
  fill(): void {
    const file = this.#newFiller();
    const handle = openSync(file, 'w');
    try {
      for (let chunk = Buffer.alloc(64 * 1024); chunk.length > 0; ) {
        try {
          writeSync(handle, chunk);
        } catch (error) {
          if (Object(error).code !== 'ENOSPC') throw error;
          chunk = chunk.subarray(0, chunk.length >> 1);
        }
      }
    } finally {
      closeSync(handle);
    }
  }

  /** Not a file more can be made. */
  fillInodes(): void {
    for (;;) {
      try {
        closeSync(openSync(this.#newFiller(), 'w'));
      } catch (error) {
        if (Object(error).code === 'ENOSPC') return;
        throw error;
      }
    }
  }

  /** What filled it is gone. */
  free(): void {
    for (const file of this.#fillers.splice(0)) rmSync(file, { force: true });
  }

  unmount(): void {
    execFileSync('umount', [this.path], { stdio: 'ignore' });
    rmdirSync(this.path);
  }

  #newFiller(): string {
    const file = join(this.path, `.filler-${randomBytes(6).toString('hex')}`);
    this.#fillers.push(file);
    return file;
  }
}
