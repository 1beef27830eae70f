import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { FrameReader } from '../dockerstream/output-frames.ts';
import type { BuildTranscript } from './build-transcript.ts';
import type { BuildWatch } from './build-watch.ts';
import {
  type BuildKitBuild,
  buildCommand,
  buildEnvironment,
  CACHE_SIZE_COMMAND,
  CONTEXT_FOLDER,
  DAEMON_COMMAND,
  DAEMON_ENVIRONMENT,
  openCgroupsCommand,
  READY_COMMAND,
  SIZE_COMMAND,
  trimCommand,
} from './buildkit-plan.ts';
import { withDeadline } from './deadline.ts';
import { statusOf } from './error-facts.ts';
import { LineSplitter } from './line-splitter.ts';
import { readJsonLines } from './read-json-lines.ts';
import { readSolveStatus } from './solve-status.ts';

/** What `buildctl` says beside its progress is its error, and short. */
const MAX_WORDS = 16 * 1024;
const SHORT_COMMAND_MILLISECONDS = 30_000;
const READY_PAUSE_MILLISECONDS = 50;

/** A container of ours with a `buildkitd` in it, for one build. */
export class BuildKitBox {
  readonly containerId: string;
  readonly #docker: Dockerode;
  readonly #container: Dockerode.Container;

  private constructor(docker: Dockerode, container: Dockerode.Container) {
    this.containerId = container.id;
    this.#docker = docker;
    this.#container = container;
  }

  /** Makes the container, puts the context into it, and waits until `buildkitd` answers. On failure nothing is left. */
  static async open(
    docker: Dockerode,
    spec: Dockerode.ContainerCreateOptions & { readonly name: string },
    {
      cgroups,
      context,
      dockerfile,
      stop,
    }: { cgroups: 1 | 2; context: Readable; dockerfile: Readable; stop: AbortSignal },
  ): Promise<BuildKitBox> {
    // Of a worker that died in the middle: it has the cache, and only one may have that.
    await removeContainer(docker.getContainer(spec.name));
    const container = await withDeadline(docker.createContainer(spec));
    const box = new BuildKitBox(docker, container);
    try {
      // Before it runs: then it is a folder being filled, and nothing inside can interfere.
      await container.putArchive(dockerfile, { path: '/', abortSignal: stop });
      await container.putArchive(context, { path: CONTEXT_FOLDER, abortSignal: stop });
      await withDeadline(container.start());
      await box.#startDaemon(cgroups, stop);
      return box;
    } catch (error) {
      await box.close();
      throw error;
    }
  }

  /** Builds, gives the image to the daemon, and tells the transcript how it came out. */
  async build(
    build: BuildKitBuild,
    run: {
      transcript: BuildTranscript;
      watch: BuildWatch;
      room?: (() => Promise<void>) | undefined;
      stop: AbortSignal;
    },
  ): Promise<void> {
    const { transcript, watch, room, stop } = run;
    const image = new ImageLoad(this.#docker, stop);
    let words = '';
    const heldBefore = this.#heldBytes(stop);
    heldBefore.catch(() => undefined);
    watch.lookInto(async () => (await this.#heldBytes(stop)) - (await heldBefore));
    watch.listen(transcript);
    const exitCode = await this.#run(buildCommand(build), {
      stop,
      environment: buildEnvironment(build),
      onStdout: (data) => image.write(data),
      onStderrLine: async (line) => {
        const status = readSolveStatus(line);
        if (status) transcript.takeTrace(status);
        else words = `${words}${line}\n`.slice(-MAX_WORDS);
        watch.rest();
        await room?.();
        watch.listen(transcript);
      },
    });
    watch.rest();
    watch.lookInto(null);
    transcript.close();
    if (exitCode === 0) await image.end();
    else {
      await image.giveUp();
      transcript.takeError(errorAmong(words), exitCode === 137 ? 137 : null);
    }
  }

  async trimCache(maxMegabytes: number, stop: AbortSignal): Promise<void> {
    await this.#runShort(trimCommand(maxMegabytes), stop);
  }

  /** What is kept for the next build, as it lies on the disk. @throws when that cannot be told */
  async cacheBytes(stop: AbortSignal): Promise<number> {
    const bytes = await this.#bytesBy(CACHE_SIZE_COMMAND, stop);
    if (bytes === 0) throw new Error('the size of the cache was not told');
    return bytes;
  }

  /** Ends whatever runs in it. */
  close(): Promise<void> {
    return removeContainer(this.#container);
  }

  async #startDaemon(cgroups: 1 | 2, stop: AbortSignal): Promise<void> {
    await this.#runShort(openCgroupsCommand(cgroups), stop);
    let lastWords = '';
    const onStderrLine = (line: string) => {
      if (line !== '') lastWords = line;
    };
    let hasEnded = false;
    // It ends with the container.
    this.#run(DAEMON_COMMAND, { stop, environment: DAEMON_ENVIRONMENT, onStderrLine })
      .catch(() => undefined)
      .finally(() => {
        hasEnded = true;
      });
    for (const deadline = Date.now() + SHORT_COMMAND_MILLISECONDS; ; await delay(READY_PAUSE_MILLISECONDS)) {
      try {
        await this.#runShort(READY_COMMAND, stop);
        return;
      } catch (cause) {
        stop.throwIfAborted();
        if (hasEnded || Date.now() > deadline)
          throw new Error(`buildkitd did not start: ${lastWords}`, { cause });
      }
    }
  }

  /** Base images that were pulled for this build are among it. */
  #heldBytes(stop: AbortSignal): Promise<number> {
    return this.#bytesBy(SIZE_COMMAND, stop);
  }

  /** @param command prints lines that begin with KiB */
  async #bytesBy(command: readonly string[], stop: AbortSignal): Promise<number> {
    const lines = (await this.#runShort(command, stop)).trim().split('\n');
    return lines.reduce((sum, line) => sum + (Number.parseInt(line, 10) || 0), 0) * 1024;
  }

  /** @returns what it wrote to stdout. @throws what it said when it ended badly, or was too slow */
  async #runShort(words: readonly string[], stop: AbortSignal): Promise<string> {
    let said = '';
    let written = '';
    const onStderrLine = (line: string) => {
      said = `${said}${line} `.slice(-MAX_WORDS);
    };
    const onStdout = async (data: Buffer) => {
      written = `${written}${data.toString()}`.slice(-MAX_WORDS);
    };
    const end = AbortSignal.any([stop, AbortSignal.timeout(SHORT_COMMAND_MILLISECONDS)]);
    const exitCode = await this.#run(words, { stop: end, onStdout, onStderrLine });
    if (exitCode !== 0) throw new Error(`${words[0]} ended with ${exitCode}: ${said.trim()}`);
    return written;
  }

  async #run(
    words: readonly string[],
    run: {
      stop: AbortSignal;
      environment?: readonly string[];
      onStdout?: (data: Buffer) => Promise<void>;
      onStderrLine: (line: string) => Promise<void> | void;
    },
  ): Promise<number | null> {
    const { stop, environment = [], onStdout, onStderrLine } = run;
    const exec = await withDeadline(
      this.#container.exec({
        Cmd: [...words],
        Env: [...environment],
        AttachStdout: true,
        AttachStderr: true,
        abortSignal: stop,
      }),
    );
    const output = await exec.start({ hijack: false, stdin: false, abortSignal: stop });
    const end = () => output.destroy();
    stop.addEventListener('abort', end, { once: true });
    try {
      const frames = new FrameReader();
      const lines = new LineSplitter();
      for await (const chunk of output as AsyncIterable<Buffer>) {
        for (const { stream, data } of frames.push(chunk)) {
          if (stream === 'stdout') await onStdout?.(data);
          else for (const line of lines.push(data)) await onStderrLine(line);
        }
      }
      for (const line of lines.end()) await onStderrLine(line);
      stop.throwIfAborted();
      return (await withDeadline(exec.inspect())).ExitCode;
    } finally {
      stop.removeEventListener('abort', end);
      output.destroy();
    }
  }
}

/** `docker load` of what is written to it; begun with the first bytes, for a build that fails writes none. */
class ImageLoad {
  readonly #docker: Dockerode;
  readonly #stop: AbortSignal;
  #stream: PassThrough | null = null;
  #loading: Promise<void> = Promise.resolve();

  constructor(docker: Dockerode, stop: AbortSignal) {
    this.#docker = docker;
    this.#stop = stop;
  }

  async write(data: Buffer): Promise<void> {
    const stream = this.#stream ?? this.#begin();
    if (stream.write(data)) return;
    // The daemon may refuse the rest of it.
    await Promise.race([once(stream, 'drain'), this.#loading]);
  }

  async end(): Promise<void> {
    this.#stream?.end();
    await this.#loading;
  }

  async giveUp(): Promise<void> {
    this.#stream?.destroy();
    await this.#loading.catch(() => undefined);
  }

  #begin(): PassThrough {
    const stream = new PassThrough();
    stream.on('error', () => undefined);
    this.#stream = stream;
    this.#loading = this.#load(stream);
    this.#loading.catch(() => undefined);
    return stream;
  }

  async #load(stream: PassThrough): Promise<void> {
    const answer = await this.#docker.loadImage(stream, { abortSignal: this.#stop });
    for await (const message of readJsonLines(answer)) {
      if (typeof message === 'object' && message !== null && 'error' in message) {
        throw new Error(String(message.error));
      }
    }
  }
}

/** `buildctl` quotes the Dockerfile before it says what went wrong. */
function errorAmong(words: string): string {
  const at = words.lastIndexOf('error: ');
  return at === -1 ? words.trim() : words.slice(at + 'error: '.length).trim();
}

async function removeContainer(container: Dockerode.Container): Promise<void> {
  try {
    await withDeadline(container.remove({ force: true, v: true }));
  } catch (error) {
    // 404: gone. 409: its removal is under way.
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
  }
}
