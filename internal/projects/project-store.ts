import type { Db, Prisma, Project } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { AppError } from '../errors/app-error.ts';
import { newestFirst, type Place } from '../openapi/page-by-age.ts';

/** The project of apps that name none. */
export const DEFAULT_PROJECT = 'default';

const WITH_COUNT = { _count: { select: { apps: true } } } as const satisfies Prisma.ProjectInclude;

/** A project with all that its view tells. */
export type ProjectWithCount = Prisma.ProjectGetPayload<{ include: typeof WITH_COUNT }>;

interface Owner {
  readonly id: string;
  readonly hash: string;
}

/** The user's project `default`, made when it is needed and not there. Run it inside a transaction. */
export async function defaultProject(tx: Db, user: Owner): Promise<Project> {
  const name = DEFAULT_PROJECT;
  const found = await findByName(tx, user.id, name);
  if (found) return found;
  await takeTurns(tx, user.id);
  return (await findByName(tx, user.id, name)) ?? insertProject(tx, user, name);
}

/** The project of this id, or `default` where none is named. @throws AppError not_found */
export function projectForApp(tx: Db, user: Owner, id: string | undefined): Promise<Project> {
  return id === undefined ? defaultProject(tx, user) : requireProject(tx, user.id, id);
}

/** Run it inside a transaction. @throws AppError name_taken */
export async function createProject(tx: Db, user: Owner, name: string): Promise<Project> {
  await takeTurns(tx, user.id);
  await requireFreeName(tx, user.id, name);
  return insertProject(tx, user, name);
}

/**
 * Its network keeps its name, for containers run in it; so do the hosts of its apps, for people know them. Run it
 * inside a transaction.
 * @throws AppError not_found, project_deleting, name_taken
 */
export async function changeProject(
  tx: Db,
  of: { userId: string; id: string },
  {
    name,
    deploymentLimit,
  }: { readonly name?: string | undefined; readonly deploymentLimit?: number | null | undefined },
): Promise<Project> {
  await takeTurns(tx, of.userId);
  const project = await requireProject(tx, of.userId, of.id);
  if (project.deletingSince) throw projectDeleting(project.name);
  if (name !== undefined && name !== project.name) {
    await requireFreeName(tx, of.userId, name);
    await tx.project.update({ where: { id: of.id }, data: { name } });
  }
  if (deploymentLimit !== undefined) {
    await tx.project.update({ where: { id: of.id }, data: { deploymentLimit } });
    // A higher limit lets what waits begin.
    await tx.$executeRaw`SELECT pg_notify('deployment_queued', '')`;
  }
  return project;
}

/** Those of one user that make or rename projects at once go one after the other, and see what was before them. */
async function takeTurns(tx: Db, userId: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR NO KEY UPDATE`;
}

function findByName(db: Db, userId: string, name: string): Promise<Project | null> {
  return db.project.findUnique({ where: { userId_name: { userId, name } } });
}

async function requireFreeName(tx: Db, userId: string, name: string): Promise<void> {
  const other = await findByName(tx, userId, name);
  if (!other) return;
  const detail = other.deletingSince
    ? `The project "${name}" is still being deleted; try again in a moment.`
    : `There is a project "${name}" already; choose another name.`;
  throw new AppError('name_taken', detail, { fields: [{ field: '/name', message: 'is taken' }] });
}

async function insertProject(tx: Db, user: Owner, name: string): Promise<Project> {
  const networkName = await freeNetworkName(tx, `${user.hash}-${name}`);
  return tx.project.create({ data: { id: newId(), userId: user.id, name, networkName } });
}

/** `{user-hash}-{project}`; with a number behind it while a project that was renamed still has that one. */
async function freeNetworkName(tx: Db, wanted: string): Promise<string> {
  const rows = await tx.project.findMany({
    where: { networkName: { startsWith: wanted } },
    select: { networkName: true },
  });
  const taken = new Set(rows.map(({ networkName }) => networkName));
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted}-${number}`;
  return name;
}

/** Null for a foreign id as for a missing one. */
export function findProject(db: Db, userId: string, id: string): Promise<ProjectWithCount | null> {
  return db.project.findFirst({ where: { id, userId }, include: WITH_COUNT });
}

/** @throws AppError not_found, for a foreign id as for a missing one */
export async function requireProject(db: Db, userId: string, id: string): Promise<ProjectWithCount> {
  const project = await findProject(db, userId, id);
  if (!project) throw noSuchProject();
  return project;
}

/** The user's projects, newest first, after the given place. */
export function listProjects(
  db: Db,
  of: { userId: string; name?: string | undefined; limit: number; after: Place | null },
): Promise<ProjectWithCount[]> {
  const { where, orderBy } = newestFirst(of.after);
  return db.project.findMany({
    where: { ...where, userId: of.userId, ...(of.name === undefined ? {} : { name: of.name }) },
    include: WITH_COUNT,
    orderBy,
    take: of.limit,
  });
}

/**
 * That something may be made in the project, until the transaction ends: it cannot begin to be deleted meanwhile.
 * @throws AppError project_deleting, not_found
 */
export async function lockOpenProject(tx: Db, id: string): Promise<void> {
  const [row] = await tx.$queryRaw<{ name: string; deleting: boolean }[]>`
    SELECT name, deleting_since IS NOT NULL AS deleting FROM projects WHERE id = ${id} FOR SHARE`;
  if (!row) throw noSuchProject();
  if (row.deleting) throw projectDeleting(row.name);
}

/** Asks for its removal; the worker removes its apps, its network, and the row. Asked again, nothing changes. */
export async function markProjectDeleting(tx: Db, userId: string, id: string): Promise<{ isNew: boolean }> {
  const [row] = await tx.$queryRaw<{ isNew: boolean }[]>`
    SELECT deleting_since IS NULL AS "isNew" FROM projects
     WHERE id = ${id} AND user_id = ${userId}
       FOR NO KEY UPDATE`;
  if (!row) throw noSuchProject();
  await tx.$executeRaw`UPDATE projects SET deleting_since = now() WHERE id = ${id} AND deleting_since IS NULL`;
  return row;
}

export function noSuchProject(): AppError {
  return new AppError('not_found', 'There is no project with this id.');
}

function projectDeleting(name: string): AppError {
  return new AppError('project_deleting', `The project "${name}" is being deleted and takes nothing new.`);
}
