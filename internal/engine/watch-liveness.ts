import { tellOfRelease } from '../deployments/release-marker.ts';
import { markCrashed, markRecovered } from '../deployments/release-moves.ts';
import type { SeenContainer } from './decide-repairs.ts';
import type { Tools } from './job.ts';
import {
  addRestarts,
  describeEnd,
  type End,
  explainCrashLoop,
  hasRecovered,
  isCrashLoop,
  type RestartCount,
  restartsSince,
} from './judge-liveness.ts';
import { type LiveRelease, recordHealth } from './live-release-store.ts';
import { readLogTail } from './read-log-tail.ts';
import type { SeenRestarts } from './seen-restarts.ts';

type WatchTools = Pick<Tools, 'prisma' | 'containers' | 'releaseSecrets' | 'logger'>;

/**
 * Counts what Docker had to restart, tells it in the app's log, and says when a release loops or runs again.
 * @returns the count as it is now
 */
export async function watchLiveness(
  tools: WatchTools,
  release: LiveRelease,
  of: { containers: readonly SeenContainer[]; seen: SeenRestarts; now: Date },
): Promise<RestartCount | null> {
  const { containers, seen, now } = of;
  const { liveAt, config } = release;
  const restarted = containers
    .map((container) => {
      const { containerId, state } = container;
      const last = { count: state.restartCount, seen: seen.countOf(containerId) };
      const recorded = release.health?.restarts ?? 0;
      const restarts = restartsSince({ ...last, liveAt, recorded, now });
      seen.lookedAt(containerId, state.restartCount);
      return { container, restarts, end: seen.lastEnd(containerId) };
    })
    .filter(({ restarts }) => restarts > 0);
  await tellLostProcesses(tools, release, of);

  const newest = restarted.at(-1);
  if (newest) {
    const more = restarted.reduce((sum, { restarts }) => sum + restarts, 0);
    const count = addRestarts(release.health, more, now);
    const cause = describeEnd(newest.end, config.memoryMb);
    await recordHealth(tools.prisma, release.deploymentId, { ...count, pauseSeconds: 0, cause });
    if (!release.isCrashed) {
      for (const one of restarted) await tellRestart(tools, release, one);
      if (isCrashLoop(count, config.replicas)) {
        await callCrashed(tools, release, { ...newest, restarts: count.restarts });
      }
    }
    return count;
  }
  if (release.isCrashed) {
    const runsAll =
      containers.length >= config.replicas && containers.every(({ state }) => state.status === 'running');
    const lastRestart = release.health?.lastRestart ?? null;
    if (hasRecovered({ runsAll, lastRestart, now })) {
      tools.logger.info({ deploymentId: release.deploymentId }, 'release runs steadily again');
      await markRecovered(tools.prisma, release);
    }
  }
  return release.health;
}

async function tellRestart(
  { prisma, logger }: WatchTools,
  release: LiveRelease,
  of: { container: SeenContainer; restarts: number; end: End | null },
): Promise<void> {
  const { container, restarts, end } = of;
  const { deploymentId } = release;
  const facts = { deploymentId, containerName: container.containerName, restarts, ...end };
  logger.warn(facts, 'container of a live release was restarted');
  const times = restarts === 1 ? '' : ` ${restarts} times`;
  const how = describeEnd(end, release.config.memoryMb);
  const text = `Replica ${container.replica} ${how} and was started again${times}`;
  await tellOfRelease(prisma, release, { text, level: 'warning' });
}

async function tellLostProcesses(
  { prisma }: WatchTools,
  release: LiveRelease,
  { containers, seen }: { containers: readonly SeenContainer[]; seen: SeenRestarts },
): Promise<void> {
  for (const { containerId, replica } of containers) {
    if (!seen.takeOutOfMemory(containerId)) continue;
    const limit = `the limit of ${release.config.memoryMb} MB`;
    const text = `A process of replica ${replica} used more memory than ${limit} and was ended`;
    await tellOfRelease(prisma, release, { text, level: 'warning' });
  }
}

async function callCrashed(
  tools: WatchTools,
  release: LiveRelease,
  of: { container: SeenContainer; restarts: number; end: End | null },
): Promise<void> {
  const { prisma, logger } = tools;
  const { deploymentId } = release;
  const logTail = await readLogTail(tools, { containerId: of.container.containerId, deploymentId });
  const { memoryMb } = release.config;
  const crash = explainCrashLoop({ restarts: of.restarts, end: of.end, memoryMb, logTail });
  logger.warn({ deploymentId, code: crash.code }, 'release has crashed');
  await markCrashed(prisma, release, crash);
}
