import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { type Pack, pack as packTar } from 'tar-fs';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { messageOf, pathOf } from './error-facts.ts';

/** tar-fs keeps its entries in an array that it shifts: with all of 300 000 at once that alone takes a minute. */
const ENTRIES_AT_A_TIME = 2000;

/** A file that is not in the directory. */
export interface ExtraFile {
  readonly name: string;
  readonly text: string;
}

/**
 * The listed paths as a tar stream, links as links. Owner and modes are set as a plain checkout has them, so that they do
 * not hang on the worker's user and umask. A file that is gone or unreadable by now ends the stream with
 * DeploymentFailed context_invalid, which names it.
 */
export function packContext(
  directory: string,
  paths: readonly string[],
  extra: readonly ExtraFile[],
): Readable {
  const replaced = new Set(extra.map(({ name }) => name));
  const tar = packTar(directory, { entries: [], finalize: false });
  appendAll(
    tar,
    directory,
    paths.filter((path) => !replaced.has(path)),
  ).then(
    () => {
      for (const { name, text } of extra) tar.entry({ name, mode: 0o644 }, text);
      tar.finalize();
    },
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(messageOf(error))),
  );
  return Readable.from(withReadableErrors(tar, directory), { objectMode: false });
}

async function appendAll(tar: Pack, directory: string, paths: readonly string[]): Promise<void> {
  for (let from = 0; from < paths.length; from += ENTRIES_AT_A_TIME) {
    await append(tar, directory, paths.slice(from, from + ENTRIES_AT_A_TIME));
  }
}

function append(tar: Pack, directory: string, entries: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.once('close', reject);
    packTar(directory, {
      entries,
      // What a folder holds is listed too, or left out on purpose.
      ignore: () => true,
      pack: tar,
      finalize: false,
      map: (header) => ({ ...header, mode: modeOf(header), uid: 0, gid: 0 }),
      finish: () => {
        tar.off('close', reject);
        resolve();
      },
    });
  });
}

function modeOf(header: { type: string; mode: number }): number {
  if (header.type === 'symlink') return 0o777;
  return header.type === 'directory' || header.mode & 0o100 ? 0o755 : 0o644;
}

async function* withReadableErrors(tar: Pack, directory: string): AsyncGenerator<unknown> {
  try {
    for await (const chunk of tar) yield chunk;
  } catch (cause) {
    const path = pathOf(cause);
    const what = path === null ? 'A file' : relative(directory, path);
    throw new DeploymentFailed('context_invalid', `${what} changed, or is gone, while it was packed.`, {
      cause,
    });
  }
}
