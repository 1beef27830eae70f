import { markRelease, tellOfRelease } from '../deployments/release-marker.ts';
import { markCrashed } from '../deployments/release-moves.ts';
import { requestRebuild } from '../deployments/request-release.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { decideRepairs, type Repair, type SeenContainer, startsProcess } from './decide-repairs.ts';
import { addRestarts, isCrashLoop, pauseSeconds, type RestartCount } from './judge-liveness.ts';
import {
  knownDeployments,
  type LiveRelease,
  readLiveReleases,
  recordHealth,
  shouldStillRun,
} from './live-release-store.ts';
import type { RunningContainer } from './ports.ts';
import { isDaemonAway, type RepairTools, repairRelease } from './repair-release.ts';
import type { SeenRestarts } from './seen-restarts.ts';
import { watchLiveness } from './watch-liveness.ts';

/** Repairs of so many apps run side by side, so that a slow one does not keep the others from coming back. */
const AT_ONCE = 4;

export interface RestoreTools extends RepairTools {
  readonly box: SealedBox;
}

/** Which releases to look at, by their deployment ids. */
export type Concern = 'all' | ReadonlySet<string>;

/** What one pass has found in Docker. */
interface Found {
  readonly now: Date;
  readonly all: readonly RunningContainer[];
  readonly networks: ReadonlyMap<string, string>;
}

/**
 * Keeps what is live running: each live release is compared with its containers, judged, and repaired. Rows are read
 * before Docker, and once more right before a repair: a release that has just been replaced must not come back.
 * @throws when Docker does not answer; what was not looked at then is the next pass's
 */
export async function restoreReleases(
  tools: RestoreTools,
  of: { seen: SeenRestarts; concern: Concern; signal: AbortSignal },
): Promise<void> {
  const { seen, signal } = of;
  const { now, releases } = await readLiveReleases(tools.prisma, tools.box, of.concern);
  if (releases.length === 0) return;
  const [all, networks] = await Promise.all([tools.containers.list({}), tools.repairs.networks()]);
  seen.keepOnly(new Set(all.map(({ containerId }) => containerId)));

  const queue = releases.values();
  const workOff = async () => {
    for (const release of queue) {
      signal.throwIfAborted();
      try {
        await restoreRelease(tools, release, { seen, signal, found: { now, all, networks } });
      } catch (error) {
        if (isDaemonAway(error) || signal.aborted) throw error;
        const { deploymentId } = release;
        tools.logger.error(
          { err: error, deploymentId },
          'release not restored, trying again at the next pass',
        );
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
}

async function restoreRelease(
  tools: RestoreTools,
  release: LiveRelease,
  of: { seen: SeenRestarts; signal: AbortSignal; found: Found },
): Promise<void> {
  const { now, all, networks } = of.found;
  const { deploymentId, attempt, config, project } = release;
  const own = all.filter((one) => one.deploymentId === deploymentId && one.attempt === attempt);
  const containers = await lookAt(tools, own);
  const counted = await watchLiveness(tools, release, { containers, seen: of.seen, now });

  const networkId = networks.get(project.networkName) ?? null;
  const facts = { replicas: config.replicas, networkId, containers, now: Date.now() };
  const isResting = (release.health?.notBefore ?? now) > now;
  const wanted = decideRepairs(facts);
  const mayStart = !isResting && !(await isServedByNewer(tools, release, { wanted, all }));
  const repairs = wanted.filter((repair) => mayStart || !startsProcess(repair));
  if (repairs.length === 0 || !(await shouldStillRun(tools.prisma, release))) return;

  const pause = await countStarts(tools, release, { repairs, counted, now });
  const failure = await repairRelease(tools, release, { repairs, signal: of.signal });
  if (failure) await tellFailure(tools, release, { failure, containers, ...pause });
}

/** F51: rows were restored from a backup, and a release that they do not know serves the app better than this one. */
async function isServedByNewer(
  { prisma, containers }: RestoreTools,
  { appId, liveAt }: LiveRelease,
  { wanted, all }: { wanted: readonly Repair[]; all: readonly RunningContainer[] },
): Promise<boolean> {
  const others = all.filter((one) => one.appId === appId);
  if (!wanted.some(startsProcess) || others.length === 0) return false;
  const ids = new Set(others.map(({ deploymentId }) => deploymentId));
  const known = await knownDeployments(prisma, ids);
  for (const { containerId, deploymentId } of others) {
    if (known.has(deploymentId)) continue;
    const state = await containers.state(containerId);
    const isNewer = state !== null && Date.parse(state.createdAt) > (liveAt?.getTime() ?? 0);
    if (isNewer && state.status === 'running') return true;
  }
  return false;
}

async function lookAt(
  { containers, gate }: Pick<RestoreTools, 'containers' | 'gate'>,
  all: readonly RunningContainer[],
): Promise<SeenContainer[]> {
  const looked = await Promise.all(
    all.map(async (container) => ({
      ...container,
      state: await containers.state(container.containerId),
      isGateClosed: (await gate.isOpen(container, container.replica)) === false,
    })),
  );
  // Gone since they were listed.
  return looked.flatMap(({ state, ...container }) => (state === null ? [] : [{ ...container, state }]));
}

/** Written before anything is started: a worker that dies of it must not begin at once again. */
async function countStarts(
  { prisma }: RestoreTools,
  release: LiveRelease,
  of: { repairs: readonly Repair[]; counted: RestartCount | null; now: Date },
): Promise<{ pause: number; isLoop: boolean }> {
  const starts = of.repairs.filter(startsProcess).length;
  if (starts === 0) return { pause: 0, isLoop: false };
  const count = addRestarts(of.counted, starts, of.now);
  const { replicas } = release.config;
  const pause = pauseSeconds(Math.ceil(count.restarts / replicas));
  const cause = 'was stopped or removed by someone else';
  await recordHealth(prisma, release.deploymentId, { ...count, pauseSeconds: pause, cause });
  return { pause, isLoop: isCrashLoop(count, replicas) };
}

async function tellFailure(
  tools: RestoreTools,
  release: LiveRelease,
  of: { failure: Error; containers: readonly SeenContainer[]; pause: number; isLoop: boolean },
): Promise<void> {
  if (release.isCrashed) return;
  const { failure, containers, pause, isLoop } = of;
  const isKnown = failure instanceof DeploymentFailed;
  const crash = isKnown ? failure : new DeploymentFailed('internal', 'It could not be started again.');
  const text = `The release could not be restored: ${crash.message} Trying again in ${pause} s`;
  await tellOfRelease(tools.prisma, release, { text, level: 'error' });
  const serves = containers.some(({ state }) => state.status === 'running');
  if (crash.code === 'image_missing' && !serves) await rebuild(tools, release, crash);
  else if (isLoop) await markCrashed(tools.prisma, release, crash);
}

/** Once: what comes of it is a deployment like any other, and a release that has crashed asks for no second one. */
async function rebuild(
  { prisma, box, logger }: RestoreTools,
  release: LiveRelease,
  crash: DeploymentFailed,
): Promise<void> {
  const { appId, deploymentId } = release;
  await prisma.$transaction(async (tx) => {
    if (!(await markCrashed(tx, release, crash))) return;
    const underWay = await tx.deployment.count({
      where: { appId, status: { in: ['pending', 'building', 'deploying'] } },
    });
    if (underWay > 0) return;
    const source = await tx.deployment.findUniqueOrThrow({ where: { id: deploymentId } });
    const { id } = await requestRebuild(tx, source, box);
    logger.warn({ deploymentId, rebuildId: id }, 'image is gone, building it again');
    const text = `The image of release ${deploymentId} is gone; deployment ${id} builds its commit again`;
    await markRelease(tx, release, { text, level: 'warning' });
  });
}
