import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import { FrameReader } from '../dockerstream/output-frames.ts';
import type { OutputPart, OutputPiece, RuntimeLogs } from '../engine/ports.ts';
import type { Logger } from '../logger/logger.ts';
import { labelFilter } from './container-labels.ts';
import { chunksOf, openLog } from './container-log.ts';
import { dockerCall } from './docker-call.ts';
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
    part: OutputPart,
    signal: AbortSignal,
  ): AsyncGenerator<readonly OutputPiece[]> {
    const query = 'last' in part ? { tail: part.last } : { since: seconds(part.fromNs) };
    const log = await openLog(this.#docker, containerId, { ...query, timestamps: true }, signal);
    if (log === null) return;
    const frames = new FrameReader();
    const pieces = new PieceReader();
    for await (const chunk of chunksOf(log, signal)) {
      yield frames.push(chunk).map((frame) => pieces.read(frame));
    }
  }

  async listen(containerId: string, onWrite: () => void, signal: AbortSignal): Promise<void> {
    const log = await openLog(this.#docker, containerId, { follow: true, tail: 0 }, signal);
    if (log === null) return;
    onWrite();
    for await (const _ of chunksOf(log, signal)) onWrite();
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
