import { markStopped } from '../deployments/release-moves.ts';
import { routeNames } from '../routing/traefik-labels.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { endContainers } from './end-containers.ts';
import type { Tools } from './job.ts';
import type { RunningContainer } from './ports.ts';
import { drain } from './steps/drain.ts';
import { releasesToStop, type StoppingRelease, shouldStillStop } from './stop-apps-store.ts';

const LOOK_EVERY_MS = 200;
/** The check fails ten times, 0.3 s apart, before Docker says unhealthy. */
const ROUTE_GONE_TIMEOUT_MS = 20_000;

type StopTools = Tools & { readonly box: SealedBox };

/**
 * Ends the releases of apps that are to stop, side by side, for each may take as long as its drain. A worker that is
 * lost in the middle leaves a row by which the next one goes on.
 */
export class AppStopper {
  readonly #tools: StopTools;
  readonly #stopping = new Map<string, Promise<void>>();

  constructor(tools: StopTools) {
    this.#tools = tools;
  }

  /** Begins with those that nobody is at yet. */
  async look(signal: AbortSignal): Promise<void> {
    const { prisma, box, logger } = this.#tools;
    for (const release of await releasesToStop(prisma, box)) {
      const { appId, deploymentId } = release;
      if (this.#stopping.has(appId)) continue;
      const done = stopRelease(this.#tools, release, signal)
        .catch((error: unknown) => {
          if (!signal.aborted) logger.warn({ err: error, deploymentId }, 'app not stopped yet, trying again');
        })
        .finally(() => this.#stopping.delete(appId));
      this.#stopping.set(appId, done);
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#stopping.values());
  }
}

/** Out of the routing first, then the answers under way, then SIGTERM: nobody's request is cut off. */
async function stopRelease(tools: StopTools, release: StoppingRelease, signal: AbortSignal): Promise<void> {
  const { prisma, gate, containers, repairs, settings, logger } = tools;
  const { deploymentId, appId, config } = release;
  const all = await containers.list({ appId });
  const running = await onlyRunning(tools, all);
  for (const container of running) {
    await gate.close(container, container.replica);
    await repairs.endHold(container.containerId);
  }
  if (running.length > 0) {
    await untilUnrouted(tools, release, signal);
    await drain({ signal, config }, tools, { containers: running });
  }
  if (!(await shouldStillStop(prisma, release))) {
    logger.info({ deploymentId }, 'app is to run again, its release goes on');
    for (const container of running) await reopen(gate, container);
    return;
  }
  await endContainers(tools, all, settings.stopGraceSeconds);
  if (await markStopped(prisma, release)) logger.info({ appId, deploymentId }, 'app stopped');
}

async function onlyRunning(
  { containers }: Pick<Tools, 'containers'>,
  all: readonly RunningContainer[],
): Promise<RunningContainer[]> {
  const states = await Promise.all(all.map(({ containerId }) => containers.state(containerId)));
  return all.filter((_, index) => states[index]?.status === 'running');
}

async function untilUnrouted(
  { clock, routes, logger }: Pick<Tools, 'clock' | 'routes' | 'logger'>,
  release: StoppingRelease,
  signal: AbortSignal,
): Promise<void> {
  const began = clock.now();
  const { own } = routeNames(release);
  while (clock.now() - began < ROUTE_GONE_TIMEOUT_MS) {
    try {
      const route = await routes.read(own);
      if (route === null || route.servers.length === 0) return;
    } catch (error) {
      // A proxy whose API does not answer may well send requests.
      logger.debug({ err: error }, 'proxy did not answer');
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function reopen(gate: Tools['gate'], container: RunningContainer): Promise<void> {
  await gate.open(container, container.replica);
  await gate.markRouted(container, container.replica);
}
