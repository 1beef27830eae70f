import { statfs } from 'node:fs/promises';
import type Dockerode from 'dockerode';
import type { DiskProbe, DiskSpace } from '../engine/ports.ts';
import { dockerCall } from './docker-call.ts';

/**
 * The disk that Docker keeps images and containers on. A worker that itself runs in a container does not see Docker's
 * folder, but its own root is a layer on that same disk, and tells the same numbers.
 */
export class DockerDisk implements DiskProbe {
  readonly #docker: Dockerode;
  #folder: string | null = null;

  constructor(docker: Dockerode) {
    this.#docker = docker;
  }

  async read(): Promise<DiskSpace> {
    this.#folder ??= await this.#readFolder();
    const path = this.#folder;
    const { bavail, blocks, bsize } = await statfs(path).catch(() => statfs('/'));
    return { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  }

  async #readFolder(): Promise<string> {
    const info: { DockerRootDir?: string } = await dockerCall('tell about itself', this.#docker.info());
    return info.DockerRootDir ?? '/';
  }
}
