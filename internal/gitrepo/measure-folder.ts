import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './error-code.ts';

export interface FolderSize {
  readonly bytes: number;
  readonly entries: number;
}

export const ANY_SIZE: FolderSize = { bytes: Number.POSITIVE_INFINITY, entries: Number.POSITIVE_INFINITY };

/**
 * Counts what lies below a folder, following no link; stops as soon as either cap is passed. Files that vanish
 * meanwhile are no error; a path too long for this machine counts as past every cap.
 */
export async function measureFolder(directory: string, caps: FolderSize): Promise<FolderSize> {
  let bytes = 0;
  let entries = 0;
  const folders = [directory];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for await (const entry of await opendir(folder, { bufferSize: 256 })) {
        entries += 1;
        const path = join(folder, entry.name);
        if (entry.isDirectory()) folders.push(path);
        else bytes += await sizeOf(entry, path);
        if (entries > caps.entries || bytes > caps.bytes) return { bytes, entries };
      }
    } catch (error) {
      if (errorCode(error) === 'ENAMETOOLONG') return { bytes, entries: Number.POSITIVE_INFINITY };
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
  return { bytes, entries };
}

async function sizeOf(entry: Dirent, path: string): Promise<number> {
  if (!entry.isFile()) return 0;
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
