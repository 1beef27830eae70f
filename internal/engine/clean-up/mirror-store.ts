import type { PrismaClient } from '../../db/database.ts';
import { throughOutage } from '../../db/through-outage.ts';

export interface RepositoryOfProject {
  readonly projectId: string;
  readonly repoUrl: string;
}

/** What apps are deployed from. */
export async function repositoriesInUse(prisma: PrismaClient): Promise<RepositoryOfProject[]> {
  return prisma.app.findMany({
    where: { deletingSince: null },
    select: { projectId: true, repoUrl: true },
    distinct: ['projectId', 'repoUrl'],
  });
}

/** What the mirror of a repository takes on the disk, for the apps that are deployed from it. */
export async function recordMirror(
  prisma: PrismaClient,
  { projectId, repoUrl }: RepositoryOfProject,
  bytes: number,
): Promise<void> {
  await throughOutage(
    () => prisma.$executeRaw`
      UPDATE services SET mirror_bytes = ${bytes}::bigint
       WHERE project_id = ${projectId} AND repo_url = ${repoUrl}`,
  );
}
