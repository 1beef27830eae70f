import { chmod, copyFile, link, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GateFiles, GateFolder, GateOwner, StartRequest } from '../engine/ports.ts';
import { checkScript } from './check-script.ts';
import { codeOf } from './docker-call.ts';
import { gateToolPath } from './gate-tool.ts';

const FOLDER_NAME = /^([a-z0-9]+)-(\d+)-(\d+)$/;

/**
 * The gate folders, `{gateDir}/{deployment-id}-{attempt}-{replica}`: the tool, the check, and the flags by which the
 * worker switches. The attempt in the path is the fence: a worker that lost its lease writes to a folder nobody mounts.
 */
export class GateFolders implements GateFiles {
  readonly #gateDir: string;

  constructor(gateDir: string) {
    this.#gateDir = gateDir;
  }

  /** Makes the folder anew, without flags or open, and gives its path. The tool must be installed: see gate-tool.ts. */
  async create(
    ref: GateOwner,
    replica: number,
    { port, gate }: Pick<StartRequest, 'port' | 'gate'>,
  ): Promise<string> {
    const folder = this.#folder(ref, replica);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    // Any user of any image must be able to read it, whatever our umask is.
    await chmod(folder, 0o755);
    await linkOrCopy(gateToolPath(this.#gateDir), join(folder, 'busybox'));
    await writeFile(join(folder, 'check'), checkScript(port));
    await chmod(join(folder, 'check'), 0o644);
    if (gate === 'routed') {
      for (const flag of ['ready', 'routed']) await writeFile(join(folder, flag), '');
    }
    return folder;
  }

  async remove(ref: GateOwner, replica: number): Promise<void> {
    await rm(this.#folder(ref, replica), { recursive: true, force: true });
  }

  /** @throws ENOENT when the folder is gone: then so is the container. */
  async open(ref: GateOwner, replica: number): Promise<void> {
    await writeFile(join(this.#folder(ref, replica), 'ready'), '');
  }

  /** Shows within a few seconds, but for a release that was `routed`: its check holds until the hold is ended. */
  async close(ref: GateOwner, replica: number): Promise<void> {
    for (const flag of ['ready', 'routed']) {
      await rm(join(this.#folder(ref, replica), flag), { force: true });
    }
  }

  async markRouted(ref: GateOwner, replica: number): Promise<void> {
    await writeFile(join(this.#folder(ref, replica), 'routed'), '');
  }

  async isOpen(ref: GateOwner, replica: number): Promise<boolean | null> {
    try {
      return (await readdir(this.#folder(ref, replica))).includes('ready');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  async list(): Promise<GateFolder[]> {
    const names = await readdir(this.#gateDir).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    return names.flatMap((name) => {
      const [, deploymentId, attempt, replica] = FOLDER_NAME.exec(name) ?? [];
      return deploymentId ? [{ deploymentId, attempt: Number(attempt), replica: Number(replica) }] : [];
    });
  }

  async removeAll(deploymentId: string): Promise<void> {
    const doomed = (await this.list()).filter((folder) => folder.deploymentId === deploymentId);
    await Promise.all(doomed.map((folder) => this.remove(folder, folder.replica)));
  }

  #folder(ref: GateOwner, replica: number): string {
    const name = `${ref.deploymentId}-${ref.attempt}-${replica}`;
    if (!FOLDER_NAME.test(name)) throw new Error(`not the name of a gate folder: ${JSON.stringify(name)}`);
    return join(this.#gateDir, name);
  }
}

/** One copy of the tool serves all folders; where links are not possible (a limit, another file system) a copy does. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to);
    await chmod(to, 0o755);
  }
}
