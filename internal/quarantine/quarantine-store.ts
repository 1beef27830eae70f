import type { Db, QuarantinedContainer } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';

/** How long a stopped container of ours that no row explains is kept. */
export const KEPT_DAYS = 7;

export function listQuarantined(db: Db): Promise<QuarantinedContainer[]> {
  return db.quarantinedContainer.findMany({ orderBy: [{ since: 'desc' }, { containerId: 'asc' }] });
}

/** Known already: nothing changes, and the days go on. @returns whether it is new */
export async function quarantine(db: Db, container: Omit<QuarantinedContainer, 'since'>): Promise<boolean> {
  const { count } = await db.quarantinedContainer.createMany({ data: [container], skipDuplicates: true });
  return count > 0;
}

/** It is gone, or a row explains it now. */
export async function dismiss(db: Db, containerIds: readonly string[]): Promise<void> {
  if (containerIds.length === 0) return;
  await db.quarantinedContainer.deleteMany({ where: { containerId: { in: [...containerIds] } } });
}

/** Those whose days are over. */
export function overdue(db: Db): Promise<{ containerId: string; containerName: string }[]> {
  return db.$queryRaw`
    SELECT container_id AS "containerId", container_name AS "containerName" FROM quarantined_containers
     WHERE since <= now() - make_interval(days => ${KEPT_DAYS})`;
}

/** Its days are over now; a worker removes it. @throws AppError not_found */
export async function endQuarantine(db: Db, containerId: string): Promise<QuarantinedContainer> {
  await db.$executeRaw`
    UPDATE quarantined_containers SET since = least(since, now() - make_interval(days => ${KEPT_DAYS}))
     WHERE container_id = ${containerId}`;
  const row = await db.quarantinedContainer.findUnique({ where: { containerId } });
  if (!row) throw new AppError('not_found', 'There is no container with this id in the quarantine.');
  return row;
}
