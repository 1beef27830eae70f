import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mirror, RepositoryMirrors } from '../engine/ports.ts';
import { errorCode } from './error-code.ts';
import { ANY_SIZE, type FolderSize, measureFolder } from './measure-folder.ts';

/** Whose attempt a mirror is with. */
export interface MirrorHolder {
  readonly deploymentId: string;
  readonly attempt: number;
}

/** A mirror out of the others' reach. */
export interface TakenMirror {
  readonly name: string;
  /** Git's own folder, without a work tree; not there yet when the mirror is new. */
  readonly directory: string;
  readonly isNew: boolean;
  readonly sizeBefore: FolderSize;
}

const NAME = /^[a-z0-9]{1,40}-[0-9a-f]{32}$/;
const TAKEN = /^[a-z0-9]{1,40}-[0-9a-f]{32}\.([a-z0-9]{1,40})-(\d{1,9})$/;
const GOING = /\.going-[0-9a-f]{12}$/;

/** Of a mirror: the stores of submodules, by their URLs, and files that LFS keeps, by their ids. */
export const SUBMODULES = 'modules';
export const LFS_FILES = 'lfs';

/** What of a mirror is carried from one clone to the next: objects, and which of them are whole. Never hooks. */
const CARRIED = new Set(['HEAD', 'objects', 'refs', 'packed-refs', 'shallow', SUBMODULES, LFS_FILES]);
/** Each fetch leaves a pack; a mirror with more is made anew, which costs less than repacking it again and again. */
const MAX_PACKS = 50;

const CONFIG = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logAllRefUpdates = false
	hooksPath = /dev/null
[fetch]
	unpackLimit = 1
`;

/**
 * What was fetched of a repository, kept from one clone to the next so that only what changed is moved. One for each
 * repository of a project, so nothing of it reaches who has not been shown it by the Git host.
 *
 * Whoever takes a mirror renames it, and gives it back by renaming it again: two deployments, of two workers even, never
 * have the same one, and what a killed worker was writing to is never found as a mirror.
 */
export class Mirrors implements RepositoryMirrors {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  nameOf({ projectId, repoUrl }: { projectId: string; repoUrl: string }): string {
    return `${projectId}-${createHash('sha256').update(repoUrl).digest('hex').slice(0, 32)}`;
  }

  async take(name: string, holder: MirrorHolder): Promise<TakenMirror> {
    if (!NAME.test(name)) throw new Error('not a name of a mirror');
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    // Git is told this path, and compares it with what the system says.
    const directory = join(
      await realpath(this.#directory),
      `${name}.${holder.deploymentId}-${holder.attempt}`,
    );
    await rm(directory, { recursive: true, force: true });
    const nothing = { name, directory, isNew: true, sizeBefore: { bytes: 0, entries: 0 } };
    if (!(await tryRename(join(this.#directory, name), directory))) return nothing;
    try {
      await removeAllButObjects(directory);
      return { name, directory, isNew: false, sizeBefore: await measureFolder(directory, ANY_SIZE) };
    } catch {
      // Not what a mirror looks like: it is made anew.
      await rm(directory, { recursive: true, force: true });
      return nothing;
    }
  }

  /** From now on others may take it. One that has become too large to be of use goes. @returns its bytes */
  async giveBack(taken: TakenMirror, maxBytes: number): Promise<number> {
    const { bytes } = await measureFolder(taken.directory, ANY_SIZE);
    if (bytes > maxBytes || (await countPacks(taken.directory)) > MAX_PACKS) {
      await this.drop(taken);
      return 0;
    }
    const now = new Date();
    await utimes(taken.directory, now, now);
    const place = join(this.#directory, taken.name);
    // There is another one where two workers cloned at once: the later one is as good.
    if (!(await tryRename(taken.directory, place))) {
      await this.remove(taken.name);
      if (!(await tryRename(taken.directory, place))) await this.drop(taken);
    }
    return bytes;
  }

  async drop({ directory }: TakenMirror): Promise<void> {
    await rm(directory, { recursive: true, force: true });
  }

  /** Those that an attempt (without a number: any attempt) of the deployment has not given back. */
  async dropTakenBy(deploymentId: string, attempt?: number): Promise<void> {
    for (const entry of await this.#entries()) {
      const [, id, number] = TAKEN.exec(entry) ?? [];
      if (id !== deploymentId || (attempt !== undefined && number !== String(attempt))) continue;
      await rm(join(this.#directory, entry), { recursive: true, force: true });
    }
  }

  /** Deployment ids that have taken one. */
  async listHolders(): Promise<string[]> {
    return (await this.#entries()).map((entry) => TAKEN.exec(entry)?.[1]).filter((id) => id !== undefined);
  }

  async list(): Promise<Mirror[]> {
    const mirrors: Mirror[] = [];
    for (const name of await this.#entries()) {
      if (GOING.test(name)) await rm(join(this.#directory, name), { recursive: true, force: true });
      if (!NAME.test(name)) continue;
      const directory = join(this.#directory, name);
      try {
        const { mtime } = await stat(directory);
        const { bytes } = await measureFolder(directory, ANY_SIZE);
        mirrors.push({ name, bytes, usedAt: mtime });
      } catch (error) {
        // Somebody has just taken it.
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    return mirrors;
  }

  async remove(name: string): Promise<void> {
    if (!NAME.test(name)) throw new Error('not a name of a mirror');
    // Out of reach first: removing takes a while, and nobody shall take one that is half there.
    const going = join(this.#directory, `${name}.going-${randomBytes(6).toString('hex')}`);
    if (await tryRename(join(this.#directory, name), going))
      await rm(going, { recursive: true, force: true });
  }

  async #entries(): Promise<string[]> {
    try {
      return await readdir(this.#directory);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}

/** Makes the settings of a mirror ours, whatever stood there. */
export async function writeMirrorConfig(directory: string): Promise<void> {
  await writeFile(join(directory, 'config'), CONFIG);
}

async function removeAllButObjects(directory: string): Promise<void> {
  const entries = await readdir(directory);
  const others = entries.filter((entry) => !CARRIED.has(entry));
  for (const entry of [...others, 'objects/info']) {
    await rm(join(directory, entry), { recursive: true, force: true });
  }
  await writeMirrorConfig(directory);
  if (!entries.includes(SUBMODULES)) return;
  for (const name of await readdir(join(directory, SUBMODULES))) {
    await removeAllButObjects(join(directory, SUBMODULES, name));
  }
}

/** In one repository, the one that has most. */
async function countPacks(directory: string): Promise<number> {
  const files = await readdir(join(directory, 'objects/pack')).catch(() => []);
  const packs = files.filter((file) => file.endsWith('.pack'));
  const submodules = await readdir(join(directory, SUBMODULES)).catch(() => []);
  const counts = submodules.map((name) => countPacks(join(directory, SUBMODULES, name)));
  return Math.max(packs.length, ...(await Promise.all(counts)));
}

/** False: there is nothing to rename, or something in its place already. */
async function tryRename(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}
