import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunGit } from './git-command.ts';
import { writeMirrorConfig } from './mirrors.ts';

/** Where Git keeps what it fetches: `.git` of the work tree, or a folder elsewhere that `.git` names. */
export interface ObjectStore {
  readonly directory: string;
  /** Not there yet. */
  readonly isNew: boolean;
}

/** Lets the commands that run in the work tree find their store. */
export async function openStore(
  git: RunGit,
  workTree: string,
  { directory, isNew }: ObjectStore,
): Promise<void> {
  if (directory === join(workTree, '.git')) {
    await git(['init', '--template=']);
  } else if (isNew) {
    await mkdir(dirname(directory), { recursive: true });
    await git(['init', '--template=', `--separate-git-dir=${directory}`]);
    await writeMirrorConfig(directory);
  } else {
    await writeFile(join(workTree, '.git'), `gitdir: ${directory}\n`);
  }
}
