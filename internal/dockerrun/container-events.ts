import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { ContainerEvent, ContainerEvents } from '../engine/ports.ts';
import type { Logger } from '../logger/logger.ts';
import { labelFilter } from './container-labels.ts';
import { dockerCall } from './docker-call.ts';

const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 5_000;

const KINDS = { die: 'ended', oom: 'out_of_memory', destroy: 'removed', pause: 'paused' } as const;

const eventSchema = z.object({
  Action: z.enum(['die', 'oom', 'destroy', 'pause']),
  Actor: z.object({
    ID: z.string(),
    Attributes: z.object({ exitCode: z.string().optional(), 'berth.deployment': z.string() }),
  }),
});

/**
 * What befalls containers of this installation, as the daemon tells it. A hint only: a daemon that restarts forgets its
 * events, and `null` then says so. That one was out of memory is told nowhere else once Docker has started it again.
 */
export class DockerContainerEvents implements ContainerEvents {
  readonly #docker: Docker;
  readonly #filters: string;
  readonly #logger: Logger;

  constructor(options: { docker: Docker; instanceId: string; logger: Logger }) {
    const ours = labelFilter({ 'berth.instance': options.instanceId });
    this.#docker = options.docker;
    this.#filters = JSON.stringify({ type: ['container'], event: Object.keys(KINDS), ...ours });
    this.#logger = options.logger;
  }

  async watch(onEvent: (event: ContainerEvent | null) => void, signal: AbortSignal): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        const options = { filters: this.#filters, abortSignal: signal };
        const lines = await dockerCall('tell of its events', this.#docker.getEvents(options));
        pause = FIRST_PAUSE_MS;
        onEvent(null);
        for await (const event of eventsOf(lines)) onEvent(event);
      } catch (error) {
        if (!signal.aborted) this.#logger.debug({ err: error }, 'events of Docker broken off');
      }
      await delay(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LAST_PAUSE_MS);
    }
  }
}

async function* eventsOf(chunks: AsyncIterable<unknown>): AsyncGenerator<ContainerEvent> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { data: event } = eventSchema.safeParse(JSON.parse(line));
      if (!event) continue;
      const { ID: containerId, Attributes } = event.Actor;
      const { exitCode, 'berth.deployment': deploymentId } = Attributes;
      const code = exitCode === undefined ? null : Number(exitCode);
      yield { containerId, deploymentId, kind: KINDS[event.Action], exitCode: code };
    }
  }
}
