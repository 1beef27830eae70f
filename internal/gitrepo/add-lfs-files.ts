import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, constants, copyFile, lstat, mkdir, opendir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Attempt } from './attempt.ts';
import type { ClonedRepository } from './clone-repository.ts';
import { errorCode } from './error-code.ts';
import type { RunGit } from './git-command.ts';
import { type LfsPointer, MAX_POINTER_BYTES, parseLfsPointer } from './lfs-pointer.ts';
import { askForFiles, downloadFile, lfsEndpoint } from './lfs-server.ts';
import { LFS_FILES } from './mirrors.ts';
import { readableSize } from './readable-size.ts';

/** A file of the work tree that is a pointer as yet. */
interface LfsFile {
  readonly path: string;
  readonly mode: number;
  readonly pointer: LfsPointer;
}

const BATCH = 100;
const AT_ONCE = 4;

/**
 * Puts the files of LFS in the place of their pointers. It is done here and not by a filter of Git: none is configured, so
 * no repository can name a program, and what is asked is asked under the rules for Git hosts.
 */
export async function addLfsFiles(attempt: Attempt, cloned: ClonedRepository): Promise<void> {
  const files = await findLfsFiles(cloned);
  if (files.length === 0) return;
  const kept = join(cloned.store.directory, LFS_FILES);
  await mkdir(kept, { recursive: true });
  const missing = await findMissing(kept, files);
  const bytes = missing.reduce((sum, { size }) => sum + size, 0);
  await attempt.limits.check({ bytes });
  if (missing.length > 0) await fetchFiles(attempt, cloned, { missing, kept });
  for (const { path, mode, pointer } of files) {
    attempt.limits.signal.throwIfAborted();
    const to = join(cloned.workTree, path);
    await copyFile(join(kept, pointer.oid), to, constants.COPYFILE_FICLONE);
    await chmod(to, mode & 0o777);
  }
  await attempt.limits.check();
  attempt.onLine({ text: `Received ${readableSize(bytes)} of LFS for ${countFiles(files.length)}` });
}

async function fetchFiles(
  attempt: Attempt,
  cloned: ClonedRepository,
  { missing, kept }: { missing: readonly LfsPointer[]; kept: string },
): Promise<void> {
  const endpoint = await lfsEndpoint(cloned, attempt.limits.signal);
  for (let at = 0; at < missing.length; at += BATCH) {
    const batch = missing.slice(at, at + BATCH);
    const actions = await askForFiles(attempt, endpoint, batch);
    await someAtOnce(batch, async (pointer) => {
      const action = actions.get(pointer.oid);
      if (!action)
        throw new DeploymentFailed('lfs_failed', 'The LFS server leaves out a file of the repository.');
      await downloadFile(attempt, { endpoint, action, pointer, path: join(kept, pointer.oid) });
    });
  }
}

/** After the first failure nothing more is begun, and what was begun has ended before that is told. */
async function someAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const workNext = async (): Promise<void> => {
    try {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    } catch (error) {
      waiting.length = 0;
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, workNext));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function findMissing(kept: string, files: readonly LfsFile[]): Promise<LfsPointer[]> {
  const wanted = new Map(files.map(({ pointer }) => [pointer.oid, pointer]));
  const missing: LfsPointer[] = [];
  for (const pointer of wanted.values()) {
    // It may be of a clone before, and the disk may have lost it since.
    if ((await hashOf(join(kept, pointer.oid))) !== pointer.oid) missing.push(pointer);
  }
  return missing;
}

async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Pointers alone are not enough: an example in somebody's documentation is one too. */
async function findLfsFiles({ git, workTree }: ClonedRepository): Promise<LfsFile[]> {
  const found = await findPointers(workTree);
  const files: LfsFile[] = [];
  for (let at = 0; at < found.length; at += BATCH) {
    const some = found.slice(at, at + BATCH);
    const filtered = await pathsOfFilter(
      git,
      some.map(({ path }) => path),
    );
    files.push(...some.filter(({ path }) => filtered.has(path)));
  }
  return files;
}

async function pathsOfFilter(git: RunGit, paths: readonly string[]): Promise<Set<string>> {
  const words = (await git(['check-attr', '-z', 'filter', '--', ...paths])).split('\0');
  return new Set(words.flatMap((path, at) => (at % 3 === 0 && words[at + 2] === 'lfs' ? [path] : [])));
}

async function findPointers(workTree: string): Promise<LfsFile[]> {
  const files: LfsFile[] = [];
  const folders = [workTree];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(folder)) {
      const absolute = join(folder, entry.name);
      if (entry.isDirectory() && absolute !== join(workTree, '.git')) folders.push(absolute);
      if (!entry.isFile()) continue;
      const { size, mode } = await lstat(absolute);
      const pointer = size <= MAX_POINTER_BYTES ? parseLfsPointer(await readFile(absolute, 'utf8')) : null;
      if (pointer) files.push({ path: relative(workTree, absolute), mode, pointer });
    }
  }
  return files;
}

function countFiles(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}
