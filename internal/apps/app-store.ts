import type { App, Db, Prisma, PrismaClient } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { AppError } from '../errors/app-error.ts';
import { newestFirst, type Place } from '../openapi/page-by-age.ts';
import { lockOpenProject } from '../projects/project-store.ts';
import { generatedHosts } from '../routing/hosts.ts';
import type { AppSettings } from './app-input.ts';
import type { LatestDeployment } from './app-status.ts';
import { claimHost } from './claim-host.ts';

const PROJECT = { select: { id: true, name: true } } as const;
const LIVE = { id: true, port: true, status: true, health: true } as const;
const WITH_STATE = {
  project: PROJECT,
  hosts: true,
  liveDeployment: { select: LIVE },
} as const satisfies Prisma.AppInclude;

/** An app with all that its view tells. */
export type AppWithState = Prisma.AppGetPayload<{ include: typeof WITH_STATE }> & {
  latest: LatestDeployment | null;
};

export interface NewApp {
  readonly name: string;
  readonly settings: AppSettings & { repoUrl: string };
  readonly project: { readonly id: string; readonly name: string };
  readonly userHash: string;
  readonly baseDomain: string;
}

/**
 * The row and its generated host, together or not at all: run it inside a transaction.
 * @throws AppError project_deleting, name_taken, host_taken
 */
export async function createApp(
  tx: Db,
  { name, settings, project, userHash, baseDomain }: NewApp,
): Promise<App> {
  await lockOpenProject(tx, project.id);
  const id = newId();
  // Skipped instead of failed: a failed insert would end the whole transaction.
  const { count } = await tx.app.createMany({
    data: [{ id, projectId: project.id, name, ...settings }],
    skipDuplicates: true,
  });
  if (count === 0) throw await nameTaken(tx, project.id, name);
  await claimHost(tx, id, generatedHosts({ appName: name, projectName: project.name, userHash, baseDomain }));
  return tx.app.findUniqueOrThrow({ where: { id } });
}

async function nameTaken(tx: Db, projectId: string, name: string): Promise<AppError> {
  const other = await tx.app.findUnique({ where: { projectId_name: { projectId, name } } });
  const detail = other?.deletingSince
    ? `The app "${name}" is still being deleted; try again in a moment.`
    : `There is an app "${name}" in this project already; choose another name.`;
  return new AppError('name_taken', detail, { fields: [{ field: '/name', message: 'is taken' }] });
}

/**
 * Null for a foreign id as for a missing one. One relation after the other: in a transaction there is one connection,
 * and an `include` of several would ask for all of them at once.
 */
export async function findApp(db: Db, userId: string, id: string): Promise<AppWithState | null> {
  const app = await db.app.findFirst({ where: { id, project: { userId } }, include: { project: PROJECT } });
  if (!app) return null;
  const hosts = await db.host.findMany({ where: { appId: id } });
  const liveDeployment = app.liveDeploymentId
    ? await db.deployment.findUnique({ where: { id: app.liveDeploymentId }, select: LIVE })
    : null;
  const [found] = await withLatest(db, [{ ...app, hosts, liveDeployment }]);
  return found ?? null;
}

/** @throws AppError not_found, for a foreign id as for a missing one */
export async function requireApp(db: Db, userId: string, id: string): Promise<void> {
  const app = await db.app.findFirst({ where: { id, project: { userId } }, select: { id: true } });
  if (!app) throw noSuchApp();
}

/** The user's apps, newest first, after the given place. */
export async function listApps(
  prisma: PrismaClient,
  of: {
    userId: string;
    projectId?: string | undefined;
    name?: string | undefined;
    limit: number;
    after: Place | null;
  },
): Promise<AppWithState[]> {
  const { where, orderBy } = newestFirst(of.after);
  const apps = await prisma.app.findMany({
    where: {
      ...where,
      project: { userId: of.userId },
      ...(of.projectId === undefined ? {} : { projectId: of.projectId }),
      ...(of.name === undefined ? {} : { name: of.name }),
    },
    include: WITH_STATE,
    orderBy,
    take: of.limit,
  });
  return withLatest(prisma, apps);
}

/** One index look-up per app, however long its history is. */
async function withLatest<T extends { id: string }>(
  db: Db,
  apps: readonly T[],
): Promise<(T & { latest: LatestDeployment | null })[]> {
  const ids = apps.map(({ id }) => id);
  const rows = await db.$queryRaw<(LatestDeployment & { appId: string })[]>`
    SELECT d.id, d.status::text AS status, d.app_id AS "appId"
      FROM unnest(${ids}::text[]) AS app (id)
     CROSS JOIN LATERAL (SELECT id, status, app_id FROM deployments
                          WHERE app_id = app.id ORDER BY queue_sequence DESC LIMIT 1) d`;
  const latest = new Map(rows.map(({ appId, id, status }) => [appId, { id, status }]));
  return apps.map((app) => ({ ...app, latest: latest.get(app.id) ?? null }));
}

/** The app as it is now, locked until the transaction ends. @throws AppError not_found, app_deleting */
export async function lockApp(tx: Db, userId: string, id: string): Promise<void> {
  const [row] = await tx.$queryRaw<{ deleting: boolean }[]>`
    SELECT a.deleting_since IS NOT NULL AS deleting
      FROM services a JOIN projects p ON p.id = a.project_id
     WHERE a.id = ${id} AND p.user_id = ${userId}
       FOR UPDATE OF a`;
  if (!row) throw noSuchApp();
  if (row.deleting) throw new AppError('app_deleting', 'The app is being deleted and takes no changes.');
}

/** Who turns auto-deploy on means it, a rollback or not. @returns the app as it was before */
export async function updateApp(tx: Db, id: string, settings: AppSettings): Promise<App> {
  const before = await tx.app.findUniqueOrThrow({ where: { id } });
  const resumed = settings.autoDeploy === true ? { autoDeployHeldSince: null } : {};
  await tx.app.update({ where: { id }, data: { ...settings, ...resumed } });
  return before;
}

/** Asks for its removal; the worker removes containers, images and rows. Asked again, nothing changes. */
export async function markDeleting(tx: Db, userId: string, id: string): Promise<{ isNew: boolean }> {
  const [row] = await tx.$queryRaw<{ isNew: boolean }[]>`
    SELECT a.deleting_since IS NULL AS "isNew"
      FROM services a JOIN projects p ON p.id = a.project_id
     WHERE a.id = ${id} AND p.user_id = ${userId}
       FOR UPDATE OF a`;
  if (!row) throw noSuchApp();
  await tx.$executeRaw`UPDATE services SET deleting_since = now() WHERE id = ${id} AND deleting_since IS NULL`;
  return row;
}

/** The same for all apps of a project. @returns the ids of those that were not asked for before */
export async function markAppsDeleting(tx: Db, projectId: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    UPDATE services SET deleting_since = now()
     WHERE project_id = ${projectId} AND deleting_since IS NULL
    RETURNING id`;
  return rows.map(({ id }) => id);
}

/** The oldest app of the project that builds this branch of this repository, and is not being deleted. */
export function findAppByRepo(
  db: Db,
  of: { projectId: string; repoUrl: string; branch: string | null },
): Promise<App | null> {
  return db.app.findFirst({ where: { ...of, deletingSince: null }, orderBy: { createdAt: 'asc' } });
}

/** Names in use in a project that begin with the given text. */
export async function namesLike(db: Db, projectId: string, start: string): Promise<Set<string>> {
  const rows = await db.app.findMany({
    where: { projectId, name: { startsWith: start } },
    select: { name: true },
  });
  return new Set(rows.map(({ name }) => name));
}

export function noSuchApp(): AppError {
  return new AppError('not_found', 'There is no app with this id.');
}
