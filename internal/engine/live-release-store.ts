import type { PrismaClient } from '../db/database.ts';
import { openSnapshot, type ReleaseConfig } from '../deployments/config-snapshot.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import type { RestartCount } from './judge-liveness.ts';

/** What the rows say of a release that should run now. */
export interface LiveRelease {
  readonly deploymentId: string;
  readonly appId: string;
  readonly appName: string;
  readonly project: {
    readonly id: string;
    readonly networkName: string;
    readonly ownerHash: string;
  };
  readonly isCrashed: boolean;
  readonly attempt: number;
  readonly port: number;
  readonly routeSequence: number;
  readonly imageId: string;
  readonly liveAt: Date | null;
  readonly config: ReleaseConfig;
  readonly health: (RestartCount & { readonly notBefore: Date | null; readonly lastRestart: Date }) | null;
}

/**
 * The releases that should run, but for those of apps whose traffic is being switched right now: these are their
 * worker's business. `now` is the database's.
 */
export async function readLiveReleases(
  prisma: PrismaClient,
  box: SealedBox,
  concern: 'all' | ReadonlySet<string>,
): Promise<{ now: Date; releases: LiveRelease[] }> {
  const switching = await appsThatSwitch(prisma);
  const rows = await prisma.deployment.findMany({
    where: {
      liveFor: { desiredState: 'running', deletingSince: null },
      appId: { notIn: switching },
      ...(concern === 'all' ? {} : { id: { in: [...concern] } }),
    },
    include: { health: true, app: { include: { project: { include: { user: true } } } } },
  });
  const [clock] = await prisma.$queryRaw<{ now: Date }[]>`SELECT now()`;
  const releases = rows.flatMap((row): LiveRelease[] => {
    const { candidateAttempt: attempt, port, routePriority: routeSequence, imageId, health } = row;
    const { project } = row.app;
    if (attempt === null || port === null || routeSequence === null || imageId === null) return [];
    return [
      {
        deploymentId: row.id,
        appId: row.appId,
        appName: row.app.name,
        project: { ...project, ownerHash: project.user.hash },
        isCrashed: row.status === 'crashed',
        attempt,
        port,
        routeSequence,
        imageId,
        liveAt: row.liveAt,
        config: openSnapshot(box, row.id, row.configSnapshot),
        health: health && { ...health, lastRestart: health.updatedAt },
      },
    ];
  });
  return { now: clock?.now ?? new Date(), releases };
}

/** Live releases of apps that want an unresponsive replica restarted. */
export async function askingForRestarts(prisma: PrismaClient): Promise<ReadonlySet<string>> {
  const rows = await prisma.app.findMany({
    where: { restartUnresponsive: true, liveDeploymentId: { not: null }, desiredState: 'running' },
    select: { liveDeploymentId: true },
  });
  return new Set(rows.flatMap(({ liveDeploymentId }) => liveDeploymentId ?? []));
}

async function appsThatSwitch(prisma: PrismaClient): Promise<string[]> {
  const rows = await prisma.deployment.findMany({
    where: { status: { in: ['deploying', 'live'] }, step: { in: ['switching', 'draining'] } },
    select: { appId: true },
  });
  return rows.map(({ appId }) => appId);
}

/** Asked right before a repair: is it still the release that should run? */
export async function shouldStillRun(
  prisma: PrismaClient,
  { appId, deploymentId }: Pick<LiveRelease, 'appId' | 'deploymentId'>,
): Promise<boolean> {
  const [row] = await prisma.$queryRaw<{ should: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM services a
       WHERE a.id = ${appId} AND a.live_deployment_id = ${deploymentId} AND a.desired_state = 'running'
         AND a.deleting_since IS NULL
         AND NOT EXISTS (SELECT 1 FROM deployments d
                          WHERE d.app_id = a.id AND d.status IN ('deploying', 'live')
                            AND d.step IN ('switching', 'draining'))) AS should`;
  return row?.should ?? false;
}

/** Which of these deployments have a row. */
export async function knownDeployments(
  prisma: PrismaClient,
  ids: Iterable<string>,
): Promise<ReadonlySet<string>> {
  const rows = await prisma.deployment.findMany({ where: { id: { in: [...ids] } }, select: { id: true } });
  return new Set(rows.map(({ id }) => id));
}

/** What was counted; nothing is started again before the pause is over, nor before an earlier one is. */
export async function recordHealth(
  prisma: PrismaClient,
  deploymentId: string,
  { restarts, windowStart, pauseSeconds, cause }: RestartCount & { pauseSeconds: number; cause: string },
): Promise<void> {
  await prisma.$executeRaw`
    INSERT INTO release_health (deployment_id, restarts, window_start, not_before, last_cause, updated_at)
    VALUES (${deploymentId}, ${restarts}, ${windowStart}, now() + make_interval(secs => ${pauseSeconds}), ${cause}, now())
    ON CONFLICT (deployment_id) DO UPDATE
      SET restarts = excluded.restarts, window_start = excluded.window_start,
          not_before = greatest(release_health.not_before, excluded.not_before),
          last_cause = excluded.last_cause, updated_at = excluded.updated_at`;
}
