import { mkdir, mkdtemp, readdir, realpath, rename, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { endProcesses } from './end-processes.ts';
import { errorCode } from './error-code.ts';

const FOLDER = /^([a-z0-9]{1,40})-(\d{1,9})(?:\.credential)?$/;

/**
 * The clones of this worker: `{workDir}/{deployment id}-{attempt}`, so that whoever takes over knows whose each is; and
 * beside one, while it is made, what Git logs in with. A folder of another name is left alone.
 */
export class AttemptFolders {
  readonly #workDir: string;

  constructor(workDir: string) {
    this.#workDir = workDir;
  }

  /** Makes the attempt's folder, empty; what an earlier holder of the same name left is removed first. */
  async create(deploymentId: string, attempt: number): Promise<string> {
    const name = `${deploymentId}-${attempt}`;
    if (!isOf(name, deploymentId, attempt)) throw new Error('not a deployment id and attempt');
    await mkdir(this.#workDir, { recursive: true });
    await this.remove(deploymentId, attempt);
    // Processes are found by the path that /proc tells, which has no links in it.
    const directory = join(await realpath(this.#workDir), name);
    await mkdir(directory, { mode: 0o700 });
    return directory;
  }

  /** Beside the attempt's folder, out of the work tree; it goes with that, if not before. One for each repository. */
  async createForCredential(deploymentId: string, attempt: number): Promise<string> {
    const directory = join(await realpath(this.#workDir), `${deploymentId}-${attempt}.credential`);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await mkdtemp(join(directory, '/'));
  }

  async removeCredential(deploymentId: string, attempt: number): Promise<void> {
    await rm(join(this.#workDir, `${deploymentId}-${attempt}.credential`), { recursive: true, force: true });
  }

  /** Ends the processes in the attempt's folder (without a number: in those of all attempts). */
  async endProcesses(deploymentId: string, attempt?: number): Promise<void> {
    const workDir = await realpath(this.#workDir).catch(() => this.#workDir);
    await endProcesses((directory) => {
      const [name = ''] = relative(workDir, directory).split(sep);
      return isOf(name, deploymentId, attempt);
    });
  }

  /** Ends the processes and removes the folder, or all of that deployment. Nothing there: no error. */
  async remove(deploymentId: string, attempt?: number): Promise<void> {
    await this.endProcesses(deploymentId, attempt);
    for (const name of await this.#list()) {
      if (isOf(name, deploymentId, attempt)) await removeTree(join(this.#workDir, name));
    }
  }

  /** Deployment ids that have a folder. */
  async listDeployments(): Promise<string[]> {
    const ids = (await this.#list()).map((name) => FOLDER.exec(name)?.[1]);
    return [...new Set(ids.filter((id) => id !== undefined))];
  }

  async #list(): Promise<string[]> {
    try {
      return await readdir(this.#workDir);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}

function isOf(name: string, deploymentId: string, attempt?: number): boolean {
  const parts = FOLDER.exec(name);
  return parts?.[1] === deploymentId && (attempt === undefined || parts[2] === String(attempt));
}

/** A repository may hold paths longer than the system takes from its root; those are cut in pieces first. */
async function removeTree(directory: string): Promise<void> {
  for (let round = 0; ; round += 1) {
    try {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
      return;
    } catch (error) {
      // A path of Git has at most 4096 bytes, so the second round finds nothing too long.
      if (errorCode(error) !== 'ENAMETOOLONG' || round === 3) throw error;
      await moveDeepFoldersUp(directory, round);
    }
  }
}

async function moveDeepFoldersUp(top: string, round: number): Promise<void> {
  let moved = 0;
  const folders = [top];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (folder.length > 2000) {
      await rename(folder, join(top, `.deep-${round}-${moved}`));
      moved += 1;
      continue;
    }
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) folders.push(join(folder, entry.name));
    }
  }
}
