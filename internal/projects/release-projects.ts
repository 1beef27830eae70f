import type { Db, Project, User } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { MAX_PROJECT_NAME } from '../routing/hosts.ts';

/**
 * A user who goes leaves no projects. Those that nothing was ever made in go too; the others to the heir, where their
 * apps, networks and hosts stay as they are. Run it inside a transaction.
 * @throws AppError user_has_projects when there are such and nobody takes them
 */
export async function releaseProjects(tx: Db, user: User, heir: { id: string } | null): Promise<void> {
  await tx.$queryRaw`SELECT id FROM projects WHERE user_id = ${user.id} ORDER BY id FOR UPDATE`;
  await tx.project.deleteMany({ where: { userId: user.id, subnet: null, apps: { none: {} } } });
  const projects = await tx.project.findMany({ where: { userId: user.id }, orderBy: { name: 'asc' } });
  if (projects.length === 0) return;
  if (!heir) throw stillHas(user, projects);
  const taken = new Set(
    (await tx.project.findMany({ where: { userId: heir.id }, select: { name: true } })).map(
      ({ name }) => name,
    ),
  );
  for (const { id, name } of projects) {
    const free = freeName(name, user.hash, taken);
    taken.add(free);
    await tx.project.update({ where: { id }, data: { userId: heir.id, name: free } });
  }
}

/** Its own name; where the heir has one of that name, with the hash of its last user behind it. */
export function freeName(name: string, hash: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 1; ; number += 1) {
    const tail = number === 1 ? `-${hash}` : `-${hash}-${number}`;
    const free = name.slice(0, MAX_PROJECT_NAME - tail.length).replace(/-+$/, '') + tail;
    if (!taken.has(free)) return free;
  }
}

function stillHas({ name }: User, projects: readonly Project[]): AppError {
  const names = projects.map((project) => `"${project.name}"`).join(', ');
  return new AppError(
    'user_has_projects',
    `${name} still has ${projects.length === 1 ? 'the project' : 'the projects'} ${names}. Let them delete ` +
      'what is in use, or take it over: DELETE /users/{id}?take_projects=true.',
  );
}
