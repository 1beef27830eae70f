import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { RegistrySettings } from '../config/config.ts';
import type {
  AttemptRef,
  BuildRequest,
  BuiltImage,
  DiskProbe,
  ImageBuilder,
  LineSink,
} from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Logger } from '../logger/logger.ts';
import { BaseImageUnavailable, requestFailure } from './build-failure.ts';
import {
  buildOptions,
  type Freshness,
  forbiddenLabels,
  imageLabels,
  layerLabels,
  narrowed,
  type PlatformLimits,
} from './build-options.ts';
import { BuildTranscript } from './build-transcript.ts';
import { BuildWatch } from './build-watch.ts';
import type { BuildKitBox } from './buildkit-box.ts';
import type { BuildKitBuild } from './buildkit-plan.ts';
import { DaemonWatch } from './daemon-watch.ts';
import { withDeadline } from './deadline.ts';
import { builtImage, DockerImages } from './docker-images.ts';
import { explain } from './explain-build.ts';
import { judgeOverdue } from './judge-build.ts';
import type { BoxRequest, LimitedBuildKit, OpenedBox } from './limited-buildkit.ts';
import { listContext } from './list-context.ts';
import { megabytes } from './megabytes.ts';
import { packContext } from './pack-context.ts';
import { type BuilderPlan, builderLine, planBuilder } from './plan-builder.ts';
import { PULL_PAUSES_MS, pullAgain } from './pull-again.ts';
import { readDockerfile, secretsAmong, splitArguments } from './read-dockerfile.ts';
import { readJsonLines } from './read-json-lines.ts';
import { signInsOf } from './registry-sign-in.ts';
import type { BuildPlatform } from './without-buildkit.ts';

type BuildOptions = Parameters<ImageBuilder['build']>[1];
type Room = BuildOptions['room'];
type OnCache = BuildOptions['onCache'];

interface BuildInProgress {
  readonly onLine: LineSink;
  readonly room: Room;
  readonly onCache: OnCache;
  readonly stop: AbortSignal;
  readonly limits: PlatformLimits;
  readonly watch: BuildWatch;
  readonly fresh: Freshness;
}

type Attempt = BuilderPlan &
  BuildKitBuild &
  BoxRequest & {
    readonly limits: PlatformLimits;
    /** Why it is not to be built in a box, if so. */
    readonly boxLacks?: string;
  };

/** What an attempt is made for and with. */
interface Surroundings {
  readonly ref: AttemptRef;
  readonly watch: BuildWatch;
  readonly room: Room;
  readonly onCache: OnCache;
}

/** Builds images over the Docker socket, and lists and removes those of this installation. */
export class DockerImageBuilder extends DockerImages implements ImageBuilder {
  readonly #docker: Dockerode;
  readonly #instanceId: string;
  readonly #limits: PlatformLimits;
  readonly #disk: DiskProbe;
  readonly #pullPausesMs: readonly number[];
  readonly #registry: RegistrySettings | null;
  readonly #buildKit: LimitedBuildKit | null;
  readonly #logger: Logger;

  constructor(options: {
    docker: Dockerode;
    instanceId: string;
    limits: PlatformLimits;
    disk: DiskProbe;
    pullPausesMs?: readonly number[];
    registry?: RegistrySettings | null;
    /** Null: what only BuildKit can build is built by the daemon's, without limits. */
    buildKit?: LimitedBuildKit | null;
    logger: Logger;
  }) {
    super(options);
    this.#docker = options.docker;
    this.#instanceId = options.instanceId;
    this.#limits = options.limits;
    this.#disk = options.disk;
    this.#pullPausesMs = options.pullPausesMs ?? PULL_PAUSES_MS;
    this.#registry = options.registry ?? null;
    this.#buildKit = options.buildKit ?? null;
    this.#logger = options.logger;
  }

  async build(request: BuildRequest, { onLine, room, onCache, signal }: BuildOptions): Promise<BuiltImage> {
    const limits = narrowed(this.#limits, request.limits);
    const limit = new AbortController();
    const watch = new BuildWatch({
      docker: this.#docker,
      disk: this.#disk,
      limits,
      labels: layerLabels(request.ref, this.#instanceId),
      logger: this.#logger,
    });
    const timer = setTimeout(() => limit.abort(judgeOverdue(watch, limits)), limits.timeoutSeconds * 1000);
    const over = new AbortController();
    const watching = watch.run((failure) => limit.abort(failure), over.signal);
    const stop = AbortSignal.any([signal, limit.signal]);
    try {
      stop.throwIfAborted();
      const how = { onLine, room, onCache, stop, limits, watch };
      if (!request.noCache) return await this.#build(request, { ...how, fresh: 'cached' });
      return await this.#buildAnew(request, how);
    } catch (error) {
      // Whatever broke by stopping, the reason for it is what the caller wants.
      stop.throwIfAborted();
      const failure = requestFailure(error, limits);
      this.#logger.info(
        { err: failure.cause ?? failure, code: failure.code, deploymentId: request.ref.deploymentId },
        'build failed',
      );
      throw failure;
    } finally {
      clearTimeout(timer);
      over.abort();
      await watching;
    }
  }

  /** A base image that cannot be pulled may be on the machine only. */
  async #buildAnew(request: BuildRequest, how: Omit<BuildInProgress, 'fresh'>): Promise<BuiltImage> {
    try {
      return await this.#build(request, { ...how, fresh: 'pulled' });
    } catch (error) {
      if (!(error instanceof DeploymentFailed) || error.code !== 'base_image_unavailable') throw error;
      const text = `${error.message} Building with the base images that are on the machine.`;
      how.onLine({ text, level: 'warning' });
      return this.#build(request, { ...how, fresh: 'uncached' });
    }
  }

  async #build(
    request: BuildRequest,
    { onLine, room, onCache, stop, limits, watch, fresh }: BuildInProgress,
  ): Promise<BuiltImage> {
    const dockerfile = await readDockerfile(request, this.#registry);
    const context = await listContext(request.contextDirectory, {
      // A generated Dockerfile installs the dependencies itself.
      exclude: 'generated' in request.dockerfile ? ['node_modules'] : [],
      maxBytes: limits.contextMaxMb * 1024 * 1024,
      onLine,
      signal: stop,
    });
    const plan = planBuilder(dockerfile, {
      ignoreFile: context.ignoreFile,
      labels: imageLabels(request.ref, this.#instanceId),
      layerLabels: layerLabels(request.ref, this.#instanceId),
      target: request.target ?? null,
      platform: dockerfile.needsBuildKit.length === 0 ? null : await this.#readPlatform(),
    });
    onLine({
      text: `Sending ${context.paths.length} files and folders (${megabytes(context.bytes)}) to Docker`,
    });
    const given = splitArguments(request.buildArguments, dockerfile.declaredArguments);
    if (given.unused.length > 0) {
      onLine({ text: `Not given to the build, for no ARG declares them: ${given.unused.join(', ')}` });
    }

    const build = {
      ...plan,
      tag: request.tag,
      buildArguments: { ...given.declared, ...plan.platformArguments },
      target: request.target ?? null,
      fresh,
      secrets: secretsAmong(request.secrets ?? {}, dockerfile.secretIds),
      text: dockerfile.text,
      baseImages: dockerfile.baseImages,
      limits,
      onLine,
      stop,
      context: () => packContext(request.contextDirectory, context.paths, plan.files),
    };
    const surroundings = { ref: request.ref, watch, room, onCache };
    // A base image that cannot be had anew may be on the machine: that is tried next.
    const imageId =
      fresh === 'pulled'
        ? await this.#try(build, surroundings)
        : await this.#orFromTheMachine(build, surroundings);
    return this.#accept(imageId, request);
  }

  /** What no registry gives to a box may be on the machine, where the daemon's own BuildKit finds it. */
  async #orFromTheMachine(build: Attempt, surroundings: Surroundings): Promise<string | null> {
    const { onLine, stop } = build;
    try {
      const attempt = () => this.#try(build, surroundings);
      return await pullAgain(attempt, { pausesMs: this.#pullPausesMs, onLine, signal: stop });
    } catch (error) {
      const isOfBox =
        error instanceof BaseImageUnavailable && build.needs !== null && this.#buildKit !== null;
      if (!isOfBox || !(await this.#hasAll(build.baseImages))) throw error;
      onLine({ text: error.message, level: 'warning' });
      const boxLacks = 'what it builds on can be had on this machine only';
      return await this.#try({ ...build, boxLacks }, surroundings);
    }
  }

  async #hasAll(names: ReadonlySet<string>): Promise<boolean> {
    for (const name of names) if ((await this.find(name)) === null) return false;
    return true;
  }

  async #readPlatform(): Promise<BuildPlatform> {
    const { Os, Arch } = await withDeadline(this.#docker.version());
    return { os: Os, architecture: Arch };
  }

  /** @returns the id or the name of the image, if the builder told one */
  async #try(build: Attempt, { ref, watch, room, onCache }: Surroundings): Promise<string | null> {
    const { limits, onLine, stop } = build;
    const transcript = new BuildTranscript(onLine, build.ownSteps);
    const daemon = await DaemonWatch.open(this.#docker, stop);
    let box: BuildKitBox | null = null;
    try {
      if (build.needs !== null) box = await this.#openBox(build.needs, ref, build);
      if (box) {
        await onCache?.(null);
        await box.build(build, { transcript, watch, room, stop });
        await onCache?.((await this.#buildKit?.trimCache(box, stop)) ?? null);
      } else {
        await this.#send({
          files: build.context(),
          options: buildOptions(build),
          transcript,
          watch,
          room,
          stop,
        });
      }
      if (transcript.error) throw await explain(transcript, { daemon, watch, box, limits });
      return box ? build.tag : transcript.imageId;
    } catch (error) {
      throw requestFailure(error, limits);
    } finally {
      daemon.close();
      // It ends by itself, too; how the build came out is what counts.
      await box
        ?.close()
        .catch((err: unknown) => this.#logger.warn({ err }, 'a box of a build was not removed'));
    }
  }

  /** Null: with the daemon's builder. */
  async #openBox(needs: string, ref: AttemptRef, build: Attempt): Promise<BuildKitBox | null> {
    const { boxLacks = this.#buildKit ? null : 'BUILDKIT_IMAGE names no image' } = build;
    const opened: OpenedBox =
      this.#buildKit && boxLacks === null
        ? await this.#buildKit.open(ref, build)
        : { box: null, lacks: boxLacks ?? '' };
    build.onLine(builderLine(needs, 'lacks' in opened ? opened.lacks : null));
    return opened.box;
  }

  /** Ends when the daemon has said all it has to say; stopping destroys the request, and with it the build. */
  async #send(build: {
    files: Readable;
    options: Dockerode.ImageBuildOptions;
    transcript: BuildTranscript;
    watch: BuildWatch;
    room: Room;
    stop: AbortSignal;
  }): Promise<void> {
    const { files, options, transcript, watch, room, stop } = build;
    let packing: Error | null = null;
    files.on('error', (error) => {
      packing = error;
    });
    try {
      const signIns = signInsOf(this.#registry);
      const response = await this.#docker.buildImage(files, {
        ...options,
        ...(signIns && { registryconfig: signIns }),
        abortSignal: stop,
      });
      if (response instanceof Readable)
        stop.addEventListener('abort', () => response.destroy(), { once: true });
      watch.listen(transcript);
      for await (const message of readJsonLines(response)) {
        transcript.take(message);
        await watch.take(message);
        // The daemon waits with the build's output while the lines before are being stored.
        await room?.();
        watch.listen(transcript);
      }
      transcript.close();
    } catch (error) {
      // A context that cannot be read breaks the request too, and is the cause.
      throw packing ?? error;
    } finally {
      watch.rest();
      files.destroy();
    }
  }

  /** The stream of a build may end well without an image: what counts is that the daemon has it, as we want it. */
  async #accept(imageId: string | null, request: BuildRequest): Promise<BuiltImage> {
    const image = imageId === null ? null : await this.find(imageId);
    if (!image) {
      throw new DeploymentFailed('docker_unavailable', 'The Docker daemon ended the build without an image.');
    }
    const labels = forbiddenLabels(image.Config.Labels ?? {}, imageLabels(request.ref, this.#instanceId));
    if (labels.length > 0) {
      await this.remove(image.Id);
      const shown = labels.slice(0, 5).map((label) => label.slice(0, 100));
      throw new DeploymentFailed(
        'image_label_forbidden',
        `The image has labels that only the platform may give: ${shown.join(', ')}.`,
      );
    }
    return builtImage(image);
  }
}
