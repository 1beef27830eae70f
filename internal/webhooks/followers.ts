import type { Db } from '../db/database.ts';
import { whichRepository } from '../github/which-repository.ts';
import type { Payload } from './read-delivery.ts';
import { installationOf, repositoryOf } from './summarise-delivery.ts';

/**
 * The apps that an event of the GitHub App concerns: of its repository, and of a user to whom its installation is bound.
 * An app of anybody else may name that repository too; of what goes on there its owner learns nothing.
 */
export async function followersOf(
  tx: Db,
  payload: Payload,
  { githubUrl }: { githubUrl: string },
): Promise<string[]> {
  const repository = repositoryOf(payload)?.toLowerCase();
  const installationId = installationOf(payload);
  if (repository === undefined || installationId === null) return [];
  const apps = await tx.app.findMany({
    where: {
      deletingSince: null,
      repoUrl: { contains: repository, mode: 'insensitive' },
      project: { user: { installations: { some: { id: installationId } } } },
    },
    select: { id: true, repoUrl: true },
    orderBy: { id: 'asc' },
  });
  return apps
    .filter(({ repoUrl }) => whichRepository(repoUrl, githubUrl)?.fullName === repository)
    .map(({ id }) => id);
}
