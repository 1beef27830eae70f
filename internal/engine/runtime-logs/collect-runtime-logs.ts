import type { Clock } from '../../clock/clock.ts';
import { dropDuty, holdDuty } from '../leader-store.ts';
import type { ContainerRunner } from '../ports.ts';
import { Bell } from '../worker-loop.ts';
import { Collector, type CollectorTools } from './collector.ts';
import { type LogLimits, trimLogs } from './trim-logs.ts';

const DUTY = 'log-collector';
/** Two at once do no harm, so a lost one is replaced sooner than a lease of a deployment would allow. */
const LEASE_SECONDS = 10;
/** How late the lease is renewed at most, and a container found of which no event came. */
const LOOK_EVERY_MS = 2_000;
/** Also how soon a container is read again of whose second start no event came. */
const TRIM_EVERY_MS = 15_000;

export interface CollectTools extends CollectorTools {
  readonly containers: Pick<ContainerRunner, 'state' | 'list'>;
  readonly clock: Clock;
  readonly settings: LogLimits;
}

/**
 * One worker at a time stores what all containers write, and keeps the logs within their caps. A second one that still
 * believes it has the duty does no harm: cursors decide.
 */
export async function collectRuntimeLogs(
  tools: CollectTools,
  options: {
    readonly identity: { readonly id: string };
    readonly pollIntervalMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { signal } = options;
  const me = { id: options.identity.id, leaseSeconds: LEASE_SECONDS };
  const lookEveryMs = Math.min(options.pollIntervalMs, LOOK_EVERY_MS);
  const bell = new Bell();
  const collector = new Collector(tools);
  const watching = tools.runtimeLogs.watch((containerId) => {
    collector.changed(containerId);
    bell.ring();
  }, signal);
  let trimmedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      if (await holdDuty(tools.prisma, DUTY, me)) {
        const containers = await tools.containers.list({});
        collector.read(containers);
        if (tools.clock.now() - trimmedAt >= TRIM_EVERY_MS) {
          trimmedAt = tools.clock.now();
          collector.changed(null);
          await trimLogs(tools, containers);
        }
      } else await collector.stop();
    } catch (error) {
      // Readers go on: they wait for the database by themselves.
      tools.logger.warn({ err: error }, 'log collection interrupted');
    }
    await bell.wait(lookEveryMs, tools.clock, signal);
  }
  await collector.stop();
  await watching;
  await dropDuty(tools.prisma, DUTY, me.id).catch(() => undefined);
}
