import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { OutputPiece, RuntimeLogs } from '../engine/ports.ts';
import type { Logger } from '../logger/logger.ts';
import { labelFilter } from './container-labels.ts';
import { dockerCall, statusOf } from './docker-call.ts';
import { FrameReader } from './output-frames.ts';
import { PieceReader } from './output-piece.ts';

const SECOND_NS = 1_000_000_000n;
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 5_000;

const eventSchema = z.object({ Actor: z.object({ ID: z.string() }) });

/** What containers of this installation write, over the Docker socket. Streams only: `wait()` is never awaited (M5). */
export class DockerRuntimeLogs implements RuntimeLogs {
  readonly #docker: Docker;
  readonly #instanceId: string;
  readonly #logger: Logger;

  constructor(options: { docker: Docker; instanceId: string; logger: Logger }) {
    this.#docker = options.docker;
    this.#instanceId = options.instanceId;
    this.#logger = options.logger;
  }

  async *read(
    containerId: string,
    { fromNs, signal }: { fromNs: bigint; signal: AbortSignal },
  ): AsyncGenerator<readonly OutputPiece[]> {
    const stream = await this.#open(containerId, fromNs, signal);
    if (stream === null) return;
    // Not by the request's own signal: an abort just behind the end would be an error event that nobody hears.
    const stop = () => stream.destroy();
    signal.addEventListener('abort', stop);
    try {
      signal.throwIfAborted();
      const frames = new FrameReader();
      const pieces = new PieceReader();
      for await (const chunk of stream) {
        if (!Buffer.isBuffer(chunk)) throw new TypeError('the stream of a log must give bytes');
        yield frames.push(chunk).map((frame) => pieces.read(frame));
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stream.destroy();
    }
  }

  async watch(onChange: (containerId: string | null) => void, signal: AbortSignal): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        const events = await dockerCall('tell of its events', this.#events(signal));
        pause = FIRST_PAUSE_MS;
        onChange(null);
        for await (const id of containerIds(events)) onChange(id);
      } catch (error) {
        if (!signal.aborted) this.#logger.debug({ err: error }, 'events of Docker broken off');
      }
      await delay(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LAST_PAUSE_MS);
    }
  }

  /** Null: the container is gone. */
  async #open(containerId: string, fromNs: bigint, signal: AbortSignal): Promise<Readable | null> {
    const options = { stdout: true, stderr: true, timestamps: true, since: seconds(fromNs) };
    const opening = new AbortController();
    const stop = () => opening.abort();
    signal.addEventListener('abort', stop);
    try {
      const container = this.#docker.getContainer(containerId);
      // Of an ended container "follow" gives the rest and ends; without it all would come as one piece of memory.
      const answer = container.logs({ ...options, follow: true, abortSignal: opening.signal });
      const stream = await dockerCall('hand out the log', answer);
      if (!(stream instanceof Readable)) throw new TypeError('a log must come as a stream');
      return stream;
    } catch (error) {
      // 409: it is being removed.
      if (statusOf(error) === 404 || statusOf(error) === 409) return null;
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #events(abortSignal: AbortSignal): Promise<NodeJS.ReadableStream> {
    const ofUs = labelFilter({ 'berth.instance': this.#instanceId });
    const filters = JSON.stringify({ type: ['container'], event: ['start', 'die'], ...ofUs });
    return this.#docker.getEvents({ filters, abortSignal });
  }
}

/** The daemon takes seconds with up to nine digits of a fraction. */
function seconds(ns: bigint): string {
  return `${ns / SECOND_NS}.${String(ns % SECOND_NS).padStart(9, '0')}`;
}

async function* containerIds(events: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of events) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = eventSchema.safeParse(JSON.parse(line));
      if (event.success) yield event.data.Actor.ID;
    }
  }
}
