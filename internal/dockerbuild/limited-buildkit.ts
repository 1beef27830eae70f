import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { type Clock, systemClock } from '../clock/clock.ts';
import type { Config } from '../config/config.ts';
import type { AttemptRef, BuildLimits, LineSink } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Logger } from '../logger/logger.ts';
import { withArguments } from './argument-values.ts';
import { layerLabels } from './build-options.ts';
import { BuildKitBox } from './buildkit-box.ts';
import { BuildKitImage } from './buildkit-image.ts';
import { boxName, buildKitContainer, DOCKERFILE_FOLDER } from './buildkit-plan.ts';
import { withDeadline } from './deadline.ts';
import { messageOf, statusOf } from './error-facts.ts';
import { packContext } from './pack-context.ts';

const MAX_REASON = 200;

export interface BoxRequest {
  readonly limits: Pick<BuildLimits, 'memoryMb' | 'cpus' | 'pids' | 'timeoutSeconds'>;
  /** Of the Dockerfile. */
  readonly text: string;
  readonly baseImages: ReadonlySet<string>;
  readonly buildArguments: Readonly<Record<string, string>>;
  context(): Readable;
  readonly onLine: LineSink;
  readonly stop: AbortSignal;
}

/** A box to build in, or why there is none. */
export type OpenedBox = { readonly box: BuildKitBox } | { readonly box: null; readonly lacks: string };

/**
 * BuildKit with limits: the daemon's own builds outside of all of them, so each build gets a BuildKit in a container
 * that has them. No container is left when no build runs; what makes the next build quick stays in a volume per app.
 */
export class LimitedBuildKit {
  readonly #docker: Dockerode;
  readonly #instanceId: string;
  readonly #image: BuildKitImage;
  readonly #cacheMaxMb: number;
  readonly #logger: Logger;

  constructor(options: {
    docker: Dockerode;
    clock: Clock;
    instanceId: string;
    image: string;
    /** Of one app. */
    cacheMaxMb: number;
    logger: Logger;
  }) {
    this.#docker = options.docker;
    this.#instanceId = options.instanceId;
    this.#image = new BuildKitImage({ docker: options.docker, clock: options.clock, name: options.image });
    this.#cacheMaxMb = options.cacheMaxMb;
    this.#logger = options.logger;
  }

  /** @throws what the context breaks with, and the reason for stopping; not for what only the daemon's BuildKit can do */
  async open(ref: Pick<AttemptRef, 'appId' | 'deploymentId'>, build: BoxRequest): Promise<OpenedBox> {
    const { limits, onLine, stop } = build;
    const text = withArguments(build.text, build.buildArguments);
    if (text === null) return { box: null, lacks: 'a build variable has more than one line' };
    let packing: Error | null = null;
    try {
      const local = await this.#localOnly(build.baseImages);
      if (local !== null) return { box: null, lacks: `${local} is an image that no registry has` };
      const lacks = await this.#image.lacks({ onLine, stop });
      if (lacks !== null) return { box: null, lacks };
      const name = boxName(this.#instanceId, ref.appId);
      const labels = layerLabels(ref, this.#instanceId);
      const cgroups = await this.#cgroups();
      const spec = buildKitContainer({ name, image: this.#image.name, labels, limits, cgroups });
      const dockerfile = packContext('/', [], [{ name: `${DOCKERFILE_FOLDER.slice(1)}/Dockerfile`, text }]);
      const context = build.context().on('error', (error) => {
        packing = error;
      });
      return { box: await BuildKitBox.open(this.#docker, spec, { cgroups, context, dockerfile, stop }) };
    } catch (error) {
      stop.throwIfAborted();
      const cause: unknown = packing ?? error;
      if (cause instanceof DeploymentFailed) throw cause;
      this.#logger.warn({ err: error, deploymentId: ref.deploymentId }, 'no BuildKit with limits');
      return { box: null, lacks: `its container did not start: ${messageOf(error).slice(0, MAX_REASON)}` };
    }
  }

  /** Afterwards, so that what an app leaves behind does not grow. @returns its bytes; null: not known */
  async trimCache(box: BuildKitBox, stop: AbortSignal): Promise<number | null> {
    try {
      await box.trimCache(this.#cacheMaxMb, stop);
      return await box.cacheBytes(stop);
    } catch (error) {
      this.#logger.warn({ err: error }, 'the cache of builds was not made smaller, or not measured');
      return null;
    }
  }

  async #cgroups(): Promise<1 | 2> {
    const { CgroupVersion } = await withDeadline(this.#docker.info());
    return CgroupVersion === '2' ? 2 : 1;
  }

  /** The images of the daemon are another's to a BuildKit in a container: it gets its own from their registries. */
  async #localOnly(names: ReadonlySet<string>): Promise<string | null> {
    for (const name of names) {
      const image = await imageOf(this.#docker, name);
      if (image && (image.RepoDigests ?? []).length === 0) return name;
    }
    return null;
  }
}

async function imageOf(docker: Dockerode, name: string): Promise<Dockerode.ImageInspectInfo | null> {
  try {
    return await withDeadline(docker.getImage(name).inspect());
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** By the settings; null when they name no image. */
export function limitedBuildKit(
  config: Pick<Config, 'buildKitImage' | 'buildKitCacheMb'>,
  parts: { docker: Dockerode; instanceId: string; logger: Logger },
): LimitedBuildKit | null {
  if (config.buildKitImage === null) return null;
  return new LimitedBuildKit({
    ...parts,
    clock: systemClock,
    image: config.buildKitImage,
    cacheMaxMb: config.buildKitCacheMb,
  });
}
