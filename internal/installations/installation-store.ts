import type { Db, GithubInstallation as InstallationRow } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { CoveredRepository, GithubInstallation } from '../github/shapes.ts';
import type { RepositoryName } from '../github/which-repository.ts';

export type { InstallationRow };

/** As GitHub tells of it now; whose it is here stays as it was. */
export async function putInstallation(tx: Db, installation: GithubInstallation): Promise<void> {
  const { id, account, repositorySelection, suspendedAt } = installation;
  const facts = {
    accountId: account.id,
    accountLogin: account.login,
    accountType: account.type,
    repositorySelection,
    suspendedAt,
  };
  await tx.githubInstallation.upsert({ where: { id }, create: { id, ...facts }, update: facts });
}

/** One statement, for an event may bring thousands. */
export async function addRepositories(
  tx: Db,
  installationId: bigint,
  repositories: readonly CoveredRepository[],
): Promise<void> {
  const ids = repositories.map(({ id }) => id);
  const names = repositories.map(({ fullName }) => fullName.toLowerCase());
  const privacy = repositories.map(({ isPrivate }) => isPrivate);
  await tx.$executeRaw`
    INSERT INTO github_installation_repositories (installation_id, repository_id, full_name, is_private)
    SELECT ${installationId}, * FROM unnest(${ids}::bigint[], ${names}::text[], ${privacy}::boolean[])
        ON CONFLICT (installation_id, repository_id)
        DO UPDATE SET full_name = excluded.full_name, is_private = excluded.is_private`;
}

export async function removeRepositories(
  tx: Db,
  installationId: bigint,
  repositories: readonly CoveredRepository[],
): Promise<void> {
  const ids = repositories.map(({ id }) => id);
  await tx.githubInstallationRepo.deleteMany({ where: { installationId, repositoryId: { in: ids } } });
}

/** These and no others. */
export async function replaceRepositories(
  tx: Db,
  installationId: bigint,
  repositories: readonly CoveredRepository[],
): Promise<void> {
  await tx.githubInstallationRepo.deleteMany({ where: { installationId } });
  await addRepositories(tx, installationId, repositories);
}

export async function deleteInstallation(tx: Db, id: bigint): Promise<void> {
  await tx.githubInstallation.deleteMany({ where: { id } });
}

/** Those of one user, oldest first. */
export function listInstallations(db: Db, userId: string): Promise<InstallationRow[]> {
  return db.githubInstallation.findMany({
    where: { userId },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
}

/** Those that nobody has connected yet. */
export function listUnbound(db: Db, limit: number): Promise<InstallationRow[]> {
  return db.githubInstallation.findMany({
    where: { userId: null },
    orderBy: { createdAt: 'desc' },
    take: limit,
  });
}

/**
 * Locked until the transaction ends, so that of two who connect it at once one is told.
 * @returns whether it was not this user's before
 * @throws AppError installation_taken
 */
export async function bindInstallation(tx: Db, id: bigint, userId: string): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ userId: string | null }[]>`
    SELECT user_id AS "userId" FROM github_installations WHERE id = ${id} FOR UPDATE`;
  if (row?.userId && row.userId !== userId) {
    throw new AppError(
      'installation_taken',
      'Another account here is connected with this installation; disconnect it there first.',
    );
  }
  await tx.githubInstallation.update({ where: { id }, data: { userId } });
  return row?.userId !== userId;
}

/** @throws AppError not_found, for a foreign one as for a missing one */
export async function unbindInstallation(tx: Db, id: bigint, userId: string): Promise<void> {
  const { count } = await tx.githubInstallation.updateMany({
    where: { id, userId },
    data: { userId: null },
  });
  if (count === 0) throw new AppError('not_found', 'There is no installation with this id.');
}

/** An installation of a user, and whether it covers a repository for all we have heard. */
export interface Candidate {
  readonly row: InstallationRow;
  readonly isKnown: boolean;
}

/**
 * The installations of this user that may cover the repository: those of its owner's account, and those that were said
 * to cover it, first. Which really do GitHub knows: it may have been chosen, or renamed, without our hearing of it. A
 * suspended one gives nothing.
 */
export async function findCandidates(
  db: Db,
  userId: string,
  { owner, fullName }: RepositoryName,
): Promise<Candidate[]> {
  const rows = await db.githubInstallation.findMany({
    where: { userId, suspendedAt: null },
    include: { repositories: { where: { fullName }, take: 1 } },
    orderBy: { id: 'asc' },
  });
  const candidates = rows.flatMap(({ repositories, ...row }) => {
    const isOwners = row.accountLogin.toLowerCase() === owner;
    const isKnown = repositories.length > 0 || (isOwners && row.repositorySelection === 'all');
    return isKnown || isOwners ? [{ row, isKnown }] : [];
  });
  return candidates.toSorted((a, b) => Number(b.isKnown) - Number(a.isKnown));
}

/** Those that cover it for all we have heard. */
export async function findCovering(
  db: Db,
  userId: string,
  repository: RepositoryName,
): Promise<InstallationRow[]> {
  const candidates = await findCandidates(db, userId, repository);
  return candidates.filter(({ isKnown }) => isKnown).map(({ row }) => row);
}

/** Full names, lower-case, of the repositories that were chosen for these installations. */
export async function coveredNames(db: Db, installationIds: readonly bigint[]): Promise<Set<string>> {
  const rows = await db.githubInstallationRepo.findMany({
    where: { installationId: { in: [...installationIds] } },
    select: { fullName: true },
  });
  return new Set(rows.map(({ fullName }) => fullName));
}
