import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './error-facts.ts';

export type PathKind = 'file' | 'folder' | 'link' | 'other' | 'missing';

/**
 * The parts of a relative path inside a repository; null when it is none. The API refuses such paths already; whoever
 * opens files looks again, since rows can be written past it.
 */
export function partsOfPath(path: string): string[] | null {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.length > 255 || path.startsWith('/') || /[\\\p{Cc}]/u.test(path) || parts.includes('..'))
    return null;
  return parts;
}

/** What the path leads to, looking at each part without following it; a link on the way, or at the end, is `link`. */
export async function kindOfPath(directory: string, parts: readonly string[]): Promise<PathKind> {
  let path = directory;
  let kind: PathKind = 'folder';
  for (const part of parts) {
    if (kind !== 'folder') return 'missing';
    path = join(path, part);
    kind = await kindOf(path);
    if (kind === 'link' || kind === 'other' || kind === 'missing') return kind;
  }
  return kind;
}

/** The text of a regular file; null when it is larger than the limit. Never follows a link, never waits for a pipe. */
export async function readRegularFile(path: string, maxBytes: number): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > maxBytes) return null;
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function kindOf(path: string): Promise<PathKind> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return 'link';
    if (stats.isDirectory()) return 'folder';
    return stats.isFile() ? 'file' : 'other';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return 'missing';
    throw error;
  }
}
