import { requireApp } from '../apps/app-store.ts';
import type { Db, Deployment, Prisma } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { newestFirst, type Place } from '../openapi/page-by-age.ts';
import { KEPT_RELEASES, rollbackObstacle } from './rollback-obstacle.ts';

/** A deployment that went live, and what stands against rolling back to it. */
export type ListedRelease = Omit<Deployment, 'configSnapshot'> & {
  readonly isLive: boolean;
  readonly obstacle: string | null;
};

const WAS_LIVE = { liveAt: { not: null } } as const satisfies Prisma.DeploymentWhereInput;

/**
 * Images of the last releases before the live one, whatever became of the deployments in between: those that retention
 * keeps and that a rollback may ask for.
 */
export async function keptImages(db: Db, appId: string): Promise<Set<string>> {
  const rows = await db.$queryRaw<{ imageId: string }[]>`
    SELECT d.image_id AS "imageId"
      FROM deployments d JOIN services a ON a.id = d.app_id LEFT JOIN deployments l ON l.id = a.live_deployment_id
     WHERE d.app_id = ${appId} AND d.live_at IS NOT NULL AND d.image_id IS NOT NULL
       AND d.image_id IS DISTINCT FROM l.image_id
     GROUP BY d.image_id ORDER BY max(d.live_at) DESC LIMIT ${KEPT_RELEASES}`;
  return new Set(rows.map(({ imageId }) => imageId));
}

/** Newest first. @throws AppError not_found */
export async function listReleases(
  db: Db,
  of: { userId: string; appId: string; limit: number; after: Place | null },
): Promise<ListedRelease[]> {
  await requireApp(db, of.userId, of.appId);
  const { where, orderBy } = newestFirst(of.after);
  const rows = await db.deployment.findMany({
    omit: { configSnapshot: true },
    include: { liveFor: { select: { id: true } } },
    where: { ...where, ...WAS_LIVE, appId: of.appId },
    orderBy,
    take: of.limit,
  });
  const judge = await judgeOf(db, of.appId);
  return rows.map(({ liveFor, ...row }) => ({ ...row, ...judge({ ...row, isLive: liveFor !== null }) }));
}

/** The release of that id, to be rolled back to. @throws AppError not_found, rollback_impossible */
export async function rollbackTarget(db: Db, appId: string, deploymentId: string): Promise<Deployment> {
  const row = await db.deployment.findFirst({
    where: { id: deploymentId, appId },
    include: { liveFor: { select: { id: true } } },
  });
  if (!row) throw new AppError('not_found', 'This app has no deployment with this id.');
  const { liveFor, ...release } = row;
  if (release.liveAt === null) {
    throw new AppError(
      'rollback_impossible',
      'That deployment never went live, so there is no way back to it.',
    );
  }
  const { obstacle } = (await judgeOf(db, appId))({ ...release, isLive: liveFor !== null });
  if (obstacle !== null) throw new AppError('rollback_impossible', obstacle);
  return release;
}

/** Earlier releases than the one that serves or was stopped, newest first, as far back as images are kept. */
export async function earlierReleases(db: Db, appId: string, than: Deployment): Promise<Deployment[]> {
  const rows = await db.deployment.findMany({
    where: { ...WAS_LIVE, appId, id: { not: than.id }, queueSequence: { lt: than.queueSequence } },
    orderBy: { queueSequence: 'desc' },
    take: 4 * KEPT_RELEASES,
  });
  const judge = await judgeOf(db, appId);
  // Of the live one's own image one may go back to other settings.
  return rows.filter(
    (row) => row.imageId === than.imageId || judge({ ...row, isLive: false }).obstacle === null,
  );
}

/** The release that serves, or served last before the app was stopped. @throws AppError no_release */
export async function currentRelease(db: Db, appId: string): Promise<Deployment> {
  const row =
    (await db.deployment.findFirst({ where: { liveFor: { id: appId } } })) ??
    (await db.deployment.findFirst({ where: { ...WAS_LIVE, appId }, orderBy: { liveAt: 'desc' } }));
  if (!row) throw new AppError('no_release', 'The app has no release yet; deploy it first.');
  return row;
}

async function judgeOf(db: Db, appId: string) {
  const kept = await keptImages(db, appId);
  const live = await db.deployment.findFirst({
    where: { liveFor: { id: appId } },
    select: { imageId: true },
  });
  return (row: { isLive: boolean; imageId: string | null; imageTag: string | null }) => {
    const isKept = row.imageId !== null && (kept.has(row.imageId) || row.imageId === live?.imageId);
    const { isLive, imageTag } = row;
    return { isLive, obstacle: rollbackObstacle({ isLive, imageTag, isKept }) };
  };
}
