import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Dockerode from 'dockerode';
import { pino } from 'pino';
import type { PlatformLimits } from '../../internal/dockerbuild/build-options.ts';
import { DockerImageBuilder } from '../../internal/dockerbuild/image-builder.ts';
import type { AttemptRef, BuildRequest, BuiltImage, Line } from '../../internal/engine/ports.ts';
import { ROOMY_DISK, TEST_LIMITS } from './build-limits.ts';

type BuilderOptions = Omit<ConstructorParameters<typeof DockerImageBuilder>[0], 'limits'> & {
  /** Those that are not named are the usual ones. */
  readonly limits: Partial<PlatformLimits>;
};

export type RequestChanges = Partial<Omit<BuildRequest, 'ref'>> &
  Partial<Pick<AttemptRef, 'appId' | 'appName'>>;

export interface LabBuildOptions extends Partial<BuilderOptions> {
  /** Takes the lines of the build as they come. */
  readonly lines?: Line[];
  readonly onLine?: (line: Line) => void;
  readonly room?: () => Promise<void>;
  readonly onCache?: (bytes: number | null) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** An installation of its own on the real daemon, which builds from one folder. `close` leaves no image of it. */
export class BuildLab {
  readonly docker = new Dockerode();
  readonly instanceId = `t${randomBytes(5).toString('hex')}`;
  readonly context = mkdtempSync(join(tmpdir(), 'berth-context-'));
  readonly #usual: Partial<BuilderOptions>;
  #requests = 0;

  constructor(usual: Partial<BuilderOptions> = {}) {
    this.#usual = usual;
  }

  builder(options: Partial<BuilderOptions> = {}): DockerImageBuilder {
    return new DockerImageBuilder({
      docker: this.docker,
      instanceId: this.instanceId,
      disk: ROOMY_DISK,
      pullPausesMs: [],
      logger: pino({ level: 'silent' }),
      ...this.#usual,
      ...options,
      limits: { ...TEST_LIMITS, ...this.#usual.limits, ...options.limits },
    });
  }

  /** Files of the folder: path → text. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.context, path)), { recursive: true });
      await writeFile(join(this.context, path), text);
    }
  }

  async emptyContext(): Promise<void> {
    for (const name of await readdir(this.context)) {
      await rm(join(this.context, name), { recursive: true, force: true });
    }
  }

  /** Of another deployment each time, by the Dockerfile of the folder. */
  request({ appId = 'app1', appName = 'web', ...changes }: RequestChanges = {}): BuildRequest {
    this.#requests += 1;
    const deploymentId = `dep${this.#requests}`;
    return {
      ref: { deploymentId, attempt: 1, appId, appName, projectId: 'project1', ownerHash: 'abcdef' },
      contextDirectory: this.context,
      dockerfile: { path: 'Dockerfile' },
      buildArguments: {},
      tag: `berth/${appName}-${this.instanceId}:${deploymentId}`,
      ...changes,
    };
  }

  async build(changes: RequestChanges = {}, options: LabBuildOptions = {}) {
    const { lines = [] } = options;
    const request = this.request(changes);
    const image = await this.#build(request, { ...options, lines });
    return { image, lines, request };
  }

  async buildFails(changes: RequestChanges = {}, options: LabBuildOptions = {}) {
    const { lines = [] } = options;
    const request = this.request(changes);
    try {
      await this.#build(request, { ...options, lines });
    } catch (error) {
      return { error, lines, request };
    }
    throw new Error('The build was to fail.');
  }

  async removeImages(): Promise<void> {
    const builder = this.builder();
    for (const { imageId } of await builder.list({})) await builder.remove(imageId);
    // From the top down.
    for (const { imageId } of (await builder.cachedLayers()).toReversed()) await builder.removeLayer(imageId);
  }

  async close(): Promise<void> {
    await this.removeImages();
    await rm(this.context, { recursive: true, force: true });
  }

  async #build(request: BuildRequest, options: LabBuildOptions): Promise<BuiltImage> {
    const { lines, onLine, room, onCache, signal = new AbortController().signal, ...others } = options;
    return await this.builder(others).build(request, {
      onLine: (line) => {
        lines?.push(line);
        onLine?.(line);
      },
      ...(room && { room }),
      ...(onCache && { onCache }),
      signal,
    });
  }
}
