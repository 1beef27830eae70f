import { keepAddress } from '../deployments/address-store.ts';
import { raiseRoutePriority } from '../deployments/deployment-store.ts';
import { tellOfRelease } from '../deployments/release-marker.ts';
import { dismiss, listQuarantined, overdue, quarantine } from '../quarantine/quarantine-store.ts';
import { sequenceOfPriority } from '../routing/traefik-labels.ts';
import type { Tools } from './job.ts';
import type { RunningContainer } from './ports.ts';
import { strayApps } from './quarantine-facts-store.ts';
import { deploymentFacts } from './reconcile-store.ts';
import { type Stray, sortStrays } from './which-strays.ts';

type QuarantineTools = Pick<Tools, 'prisma' | 'containers' | 'repairs' | 'settings' | 'logger'>;

/** Containers that serve without a row, told once each by this worker. */
export class KnownStrays {
  readonly #told = new Set<string>();

  isNew(containerId: string): boolean {
    if (this.#told.has(containerId)) return false;
    this.#told.add(containerId);
    return true;
  }
}

/**
 * Containers with our instance label that no row explains: what serves an app better than its rows know goes on, the
 * rest is stopped, listed and in the end removed. Volumes stay in any case, and foreign containers are not even looked
 * at.
 */
export async function quarantineStrays(tools: QuarantineTools, known: KnownStrays): Promise<void> {
  const { prisma, containers, repairs, logger } = tools;
  // Docker before the rows: what appears in between has a row that says why.
  const all = await containers.list({});
  const facts = await deploymentFacts(prisma, [...new Set(all.map(({ deploymentId }) => deploymentId))]);
  await dismissExplained(tools, all, facts);
  const strays = await lookAt(
    tools,
    all.filter(({ deploymentId }) => !facts.has(deploymentId)),
  );
  if (strays.length > 0) {
    const apps = await strayApps(prisma, [...new Set(strays.map(({ appId }) => appId))]);
    const { serving, toQuarantine } = sortStrays(strays, apps);
    await letServe(
      tools,
      serving.filter(({ containerId }) => known.isNew(containerId)),
    );
    for (const stray of toQuarantine) await putAway(tools, stray);
  }
  for (const { containerId, containerName } of await overdue(prisma)) {
    logger.warn({ containerName }, 'removing a container from the quarantine');
    await repairs.remove(containerId);
    await dismiss(prisma, [containerId]);
  }
}

async function lookAt({ containers }: QuarantineTools, all: readonly RunningContainer[]): Promise<Stray[]> {
  const looked = await Promise.all(
    all.map(async (container) => {
      const state = await containers.state(container.containerId);
      // Gone since it was listed, perhaps with its app.
      if (state === null) return [];
      const isRunning = state.status === 'running' || state.status === 'restarting';
      return [{ ...container, isRunning, createdAt: Date.parse(state.createdAt) }];
    }),
  );
  return looked.flat();
}

/** Its address stays its own, and the next release is to win over it at the proxy. */
async function letServe(tools: QuarantineTools, serving: readonly Stray[]): Promise<void> {
  const { prisma, repairs, logger } = tools;
  if (serving.length === 0) return;
  await raiseRoutePriority(prisma, sequenceOfPriority(await repairs.highestRoutePriority()));
  for (const { appId, deploymentId, containerName, address } of serving) {
    logger.warn({ appId, deploymentId, containerName }, 'app is served by a release that no row knows');
    await keepAddress(prisma, { appId, containerName, address });
    const text = `Release ${deploymentId}, which the database does not know, serves the app; deploy it to mend that`;
    await tellOfRelease(prisma, { appId, deploymentId }, { text, level: 'warning' });
  }
}

async function putAway({ prisma, repairs, settings, logger }: QuarantineTools, stray: Stray): Promise<void> {
  const { containerId, containerName, appId, deploymentId } = stray;
  // Each time: somebody may have started it.
  await repairs.stop(containerId, settings.stopGraceSeconds);
  const reason = 'No row knows its deployment.';
  if (await quarantine(prisma, { containerId, containerName, appId, deploymentId, reason })) {
    logger.warn({ containerName, appId, deploymentId }, 'container without a row put into quarantine');
  }
}

async function dismissExplained(
  { prisma }: QuarantineTools,
  all: readonly RunningContainer[],
  facts: ReadonlyMap<string, unknown>,
): Promise<void> {
  const byId = new Map(all.map((container) => [container.containerId, container]));
  const explained = (await listQuarantined(prisma)).filter(({ containerId }) => {
    const container = byId.get(containerId);
    return !container || facts.has(container.deploymentId);
  });
  await dismiss(
    prisma,
    explained.map(({ containerId }) => containerId),
  );
}
