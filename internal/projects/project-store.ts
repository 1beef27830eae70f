import type { Db, Project } from '../db/database.ts';
import { newId } from '../db/ids.ts';

/** The project of apps that name none. */
export const DEFAULT_PROJECT = 'default';

/** The user's project `default`, made on first use. Two at once make one. */
export async function defaultProject(db: Db, user: { id: string; hash: string }): Promise<Project> {
  const name = DEFAULT_PROJECT;
  await db.project.createMany({
    data: [{ id: newId(), userId: user.id, name, networkName: `${user.hash}-${name}` }],
    skipDuplicates: true,
  });
  return db.project.findUniqueOrThrow({ where: { userId_name: { userId: user.id, name } } });
}
