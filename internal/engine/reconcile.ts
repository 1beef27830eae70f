import { releaseAddresses, reservedAddresses } from '../deployments/address-store.ts';
import { routeNames } from '../routing/traefik-labels.ts';
import { eachPart } from './each-part.ts';
import { endContainers, NO_GRACE_SECONDS } from './end-containers.ts';
import type { Tools } from './job.ts';
import { busyApps, deploymentFacts, liveReleases, networksOfProjects } from './reconcile-store.ts';
import {
  leftoverAddresses,
  leftoverContainers,
  leftoverFolders,
  leftoverGates,
  leftoverNetworks,
} from './which-leftovers.ts';

type ReconcileTools = Pick<
  Tools,
  | 'prisma'
  | 'clock'
  | 'containers'
  | 'repairs'
  | 'gate'
  | 'source'
  | 'routes'
  | 'runtimeLogs'
  | 'releaseSecrets'
  | 'logger'
>;

/**
 * Brings Docker and the disk to what the rows say: removes our leftovers of ended deployments, and wakes a proxy that
 * has missed a live release. Only things with our instance label are ever touched; volumes never. Each part is tried
 * though another one failed.
 */
export async function reconcile(tools: ReconcileTools): Promise<void> {
  await eachPart(tools.logger, {
    removeLeftovers: () => removeLeftovers(tools),
    removeLeftoverNetworks: () => removeLeftoverNetworks(tools),
    wakeProxyIfItMissedOne: () => wakeProxyIfItMissedOne(tools),
  });
}

async function removeLeftovers(tools: ReconcileTools): Promise<void> {
  const { prisma, containers, gate, source, logger } = tools;
  // Docker and the disk are looked at before the rows: what appears in between has a row that says why.
  const [all, folders, gates] = await Promise.all([
    containers.list({}),
    source.listDeployments(),
    gate.list(),
  ]);
  const addresses = await reservedAddresses(prisma);
  const ids = [...all, ...gates, ...addresses].flatMap(({ deploymentId }) => deploymentId ?? []);
  const busy = await busyApps(prisma);
  const facts = await deploymentFacts(prisma, [...new Set([...ids, ...folders])]);

  const idle = leftoverAddresses(addresses, facts, all);
  if (idle.length > 0)
    logger.info({ containerNames: idle }, 'releasing addresses of containers that are gone');
  await releaseAddresses(prisma, idle);
  for (const id of leftoverFolders(folders, facts)) await source.remove(id);
  for (const folder of leftoverGates(gates, facts, all)) await gate.remove(folder, folder.replica);
  // Last, since one that cannot be removed is told by throwing.
  const leftovers = leftoverContainers(all, facts, busy);
  for (const { containerName } of leftovers) logger.info({ containerName }, 'removing leftover container');
  await endContainers(tools, leftovers, NO_GRACE_SECONDS);
}

/** A worker that slept through the deletion of a project may have made its network once more. */
async function removeLeftoverNetworks(tools: ReconcileTools): Promise<void> {
  const { prisma, containers, repairs, logger } = tools;
  // Docker first here, too: a network's row is written before it is made.
  const [all, networks] = await Promise.all([containers.list({}), repairs.networks()]);
  const facts = await deploymentFacts(prisma, [...new Set(all.map(({ deploymentId }) => deploymentId))]);
  const leftovers = leftoverNetworks(networks.keys(), await networksOfProjects(prisma), all, facts);
  for (const networkName of leftovers) {
    logger.info({ networkName }, 'removing leftover network');
    await containers.removeNetwork(networkName);
  }
}

async function wakeProxyIfItMissedOne(tools: ReconcileTools): Promise<void> {
  const releases = await liveReleases(tools.prisma);
  if (releases.length === 0) return;
  const known = new Set(await tools.routes.listRouters());
  const missing = releases.filter((release) => !known.has(routeNames(release).own));
  for (const release of missing) {
    const healthy = await isHealthy(tools, release.deploymentId);
    if (!healthy) continue;
    tools.logger.warn({ deploymentId: release.deploymentId }, 'proxy missed a live release, nudging it');
    await tools.containers.nudgeProxy();
    return;
  }
}

async function isHealthy(tools: ReconcileTools, deploymentId: string): Promise<boolean> {
  for (const container of await tools.containers.list({ deploymentId })) {
    const state = await tools.containers.state(container.containerId);
    if (state?.health === 'healthy') return true;
  }
  return false;
}
