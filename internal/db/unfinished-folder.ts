import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const PREFIX = 'unfinished-';
/** What is put into one takes seconds; one this old was left by a process that died. */
const ABANDONED_MS = 600_000;

/**
 * A folder (mode 0700) to make something in that must appear whole: fill it, then rename it. Nobody else has its name,
 * in this process or another. Takes away what was abandoned.
 */
export async function makeUnfinishedFolder(parent: string): Promise<string> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    if (name.startsWith(PREFIX) && (await isAbandoned(path)))
      await rm(path, { recursive: true, force: true });
  }
  return mkdtemp(join(parent, PREFIX));
}

async function isAbandoned(path: string): Promise<boolean> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs < Date.now() - ABANDONED_MS,
    () => false,
  );
}

/** Gives it its name. Where another was first, that one stays, and this one goes. */
export async function finishFolder(unfinished: string, final: string): Promise<void> {
  try {
    await rename(unfinished, final);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(final))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
