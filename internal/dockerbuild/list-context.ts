import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { LineSink } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { type DockerIgnore, parseDockerIgnore } from './docker-ignore.ts';
import { kindOfPath, readRegularFile } from './repository-path.ts';

const MAX_IGNORE_BYTES = 64 * 1024;
const MAX_ENTRIES = 300_000;
const MAX_PATH_LENGTH = 1024;
const MAX_WARNINGS = 20;
/** Each is asked of another thread, and one by one most of the time would go on the way there and back. */
const LOOKED_AT_ONCE = 16;
/** Listing has a time limit of its own: an ignore file may be slow without being wrong. */
const MAX_MILLISECONDS = 60_000;

export interface ListedContext {
  /** Relative paths in the order they are packed; a folder comes before what it holds. */
  readonly paths: readonly string[];
  /** Bytes of the regular files. */
  readonly bytes: number;
  /** Text of the `.dockerignore`, null when there is none. */
  readonly ignoreFile: string | null;
}

/**
 * Chooses what goes to the daemon, by lstat alone: regular files, folders, and links that stay inside. `.git` never goes.
 * @throws DeploymentFailed context_invalid, context_too_large
 */
export async function listContext(
  directory: string,
  options: {
    /** Left out beside what the `.dockerignore` names. */
    readonly exclude: readonly string[];
    readonly maxBytes: number;
    readonly onLine: LineSink;
    readonly signal: AbortSignal;
  },
): Promise<ListedContext> {
  const ignoreFile = await readIgnoreFile(directory);
  const walk = new ContextWalk(directory, {
    ...options,
    ignore: parseDockerIgnore([ignoreFile ?? '', ...options.exclude].join('\n')),
  });
  await walk.folder('');
  walk.sayWhatWasDropped();
  return { paths: walk.paths, bytes: walk.bytes, ignoreFile };
}

async function readIgnoreFile(directory: string): Promise<string | null> {
  const kind = await kindOfPath(directory, ['.dockerignore']);
  if (kind === 'missing') return null;
  const text =
    kind === 'file' ? await readRegularFile(join(directory, '.dockerignore'), MAX_IGNORE_BYTES) : null;
  if (text === null) {
    throw new DeploymentFailed(
      'context_invalid',
      'The .dockerignore must be a regular file of at most 64 KB, and no link.',
    );
  }
  return text;
}

interface WalkOptions {
  readonly ignore: DockerIgnore;
  readonly maxBytes: number;
  readonly onLine: LineSink;
  readonly signal: AbortSignal;
}

interface Looked {
  readonly child: string;
  readonly isFolder: boolean;
  readonly isExcluded: boolean;
  readonly stats: Stats | null;
}

class ContextWalk {
  readonly paths: string[] = [];
  bytes = 0;
  readonly #directory: string;
  readonly #options: WalkOptions;
  readonly #deadline = performance.now() + MAX_MILLISECONDS;
  readonly #dropped: string[] = [];

  constructor(directory: string, options: WalkOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  async folder(path: string): Promise<void> {
    const entries = await readdir(join(this.#directory, path), { withFileTypes: true }).catch(
      (error: unknown) => unreadable(path || '.', error),
    );
    // The order of a folder is the file system's; sorted, the same commit gives the same stream.
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const found = entries.filter(({ name }) => path !== '' || name !== '.git');
    for (let from = 0; from < found.length; from += LOOKED_AT_ONCE) {
      const some = found.slice(from, from + LOOKED_AT_ONCE).map((entry) => this.#look(path, entry));
      for (const { child, isFolder, isExcluded, stats } of await Promise.all(some)) {
        if (isFolder) {
          if (!isExcluded) this.#add(child);
          if (!isExcluded || !this.#options.ignore.mayPrune) await this.folder(child);
        } else if (stats) {
          await this.#leaf(child, stats);
        }
      }
    }
  }

  /** `stats`: of what goes along and is no folder. */
  async #look(folder: string, entry: Dirent): Promise<Looked> {
    const child = folder === '' ? entry.name : `${folder}/${entry.name}`;
    this.#checkLimits(child);
    const isFolder = entry.isDirectory();
    const isExcluded = this.#options.ignore.excludes(child);
    const stats =
      isFolder || isExcluded
        ? null
        : await lstat(join(this.#directory, child)).catch((error: unknown) => unreadable(child, error));
    return { child, isFolder, isExcluded, stats };
  }

  sayWhatWasDropped(): void {
    for (const text of this.#dropped.slice(0, MAX_WARNINGS)) this.#options.onLine({ text, level: 'warning' });
    const more = this.#dropped.length - MAX_WARNINGS;
    if (more > 0)
      this.#options.onLine({ text: `… and ${more} more left out of the build.`, level: 'warning' });
  }

  async #leaf(path: string, stats: Stats): Promise<void> {
    if (stats.isFile()) {
      this.bytes += stats.size;
      if (this.bytes > this.#options.maxBytes) {
        const megabytes = Math.round(this.#options.maxBytes / 1024 / 1024);
        throw new DeploymentFailed('context_too_large', `The build context is larger than ${megabytes} MB.`);
      }
      this.#add(path);
    } else if (stats.isSymbolicLink()) {
      const target = await readlink(join(this.#directory, path)).catch((error: unknown) =>
        unreadable(path, error),
      );
      if (staysInside(path, target)) this.#add(path);
      else this.#drop(`${path} is left out of the build: the link points outside of the repository.`);
    } else {
      this.#drop(`${path} is left out of the build: it is no file, folder or link.`);
    }
  }

  #add(path: string): void {
    this.paths.push(path);
    if (this.paths.length > MAX_ENTRIES) {
      throw new DeploymentFailed(
        'context_too_large',
        `The build context has more than ${MAX_ENTRIES} files and folders.`,
      );
    }
  }

  #drop(text: string): void {
    this.#dropped.push(text);
  }

  #checkLimits(path: string): void {
    this.#options.signal.throwIfAborted();
    if (path.length > MAX_PATH_LENGTH) {
      throw new DeploymentFailed(
        'context_invalid',
        `A path has more than ${MAX_PATH_LENGTH} characters: ${path.slice(0, 80)}…`,
      );
    }
    if (performance.now() > this.#deadline) {
      throw new DeploymentFailed('context_too_large', 'Listing the build context took more than 60 seconds.');
    }
  }
}

/** By its text alone; what it leads to is the builder's affair, inside the image's own root. */
function staysInside(path: string, target: string): boolean {
  if (target.startsWith('/')) return false;
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  return resolved !== '..' && !resolved.startsWith('../');
}

function unreadable(path: string, cause: unknown): never {
  throw new DeploymentFailed('context_invalid', `${path} cannot be read, or is gone.`, { cause });
}
