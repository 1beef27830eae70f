import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { RegistrySettings } from '../config/config.ts';
import type { ImageRegistry } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Logger } from '../logger/logger.ts';
import { withDeadline } from './deadline.ts';
import { pushFailure, pushRequestFailure } from './push-failure.ts';
import { PushTranscript } from './push-transcript.ts';
import { readJsonLines } from './read-json-lines.ts';
import { signInOf } from './registry-sign-in.ts';

/** A registry that the Docker daemon pushes to. Who we are goes in a header to the daemon, and nowhere else. */
export class DockerRegistry implements ImageRegistry {
  readonly #docker: Dockerode;
  readonly #registry: RegistrySettings;
  readonly #logger: Logger;

  constructor(options: { docker: Dockerode; registry: RegistrySettings; logger: Logger }) {
    this.#docker = options.docker;
    this.#registry = options.registry;
    this.#logger = options.logger;
  }

  async push(
    image: Parameters<ImageRegistry['push']>[0],
    { onLine, signal }: Parameters<ImageRegistry['push']>[1],
  ): Promise<void> {
    const { host, timeoutSeconds } = this.#registry;
    const limit = AbortSignal.timeout(timeoutSeconds * 1000);
    const stop = AbortSignal.any([signal, limit]);
    try {
      await this.#push(image, new PushTranscript(onLine), stop);
    } catch (error) {
      // Whatever broke by stopping, the reason for it is what the caller wants.
      signal.throwIfAborted();
      const failure = limit.aborted
        ? new DeploymentFailed(
            'registry_push_failed',
            `The registry ${host} has not taken the image within ${timeoutSeconds} seconds (REGISTRY_TIMEOUT_SECONDS).`,
            { mayPass: true },
          )
        : pushRequestFailure(error, host);
      this.#logger.info(
        { err: failure.cause ?? failure, code: failure.code, image: image.name },
        'push failed',
      );
      throw failure;
    }
  }

  async #push(
    { imageId, name }: Parameters<ImageRegistry['push']>[0],
    transcript: PushTranscript,
    stop: AbortSignal,
  ): Promise<void> {
    stop.throwIfAborted();
    const tagAt = name.lastIndexOf(':');
    const [repo, tag] = [name.slice(0, tagAt), name.slice(tagAt + 1)];
    await withDeadline(this.#docker.getImage(imageId).tag({ repo, tag }));
    const response = await this.#docker.getImage(repo).push({
      tag,
      // Without a sign-in too: Engines before 25 want the header in any case.
      authconfig: signInOf(this.#registry),
      abortSignal: stop,
    });
    const end = () => response instanceof Readable && response.destroy();
    stop.addEventListener('abort', end, { once: true });
    try {
      for await (const message of readJsonLines(response)) transcript.take(message);
    } finally {
      stop.removeEventListener('abort', end);
    }
    stop.throwIfAborted();
    if (transcript.error !== null) throw pushFailure(transcript.error, this.#registry.host);
    // The stream may end well though the daemon was stopped: what counts is what the registry confirmed.
    if (transcript.digest === null) {
      throw new DeploymentFailed('docker_unavailable', 'The Docker daemon ended the push before its end.');
    }
  }
}
