import type { PrismaClient } from '../db/database.ts';
import type { StrayApp } from './which-strays.ts';

/** What the rows say of these apps; one that has no row is not in the answer. */
export async function strayApps(
  prisma: PrismaClient,
  appIds: readonly string[],
): Promise<ReadonlyMap<string, StrayApp>> {
  const rows = await prisma.app.findMany({
    where: { id: { in: [...appIds] } },
    select: {
      id: true,
      desiredState: true,
      deletingSince: true,
      liveDeployment: { select: { liveAt: true } },
    },
  });
  return new Map(
    rows.map((row) => [
      row.id,
      {
        shouldRun: row.desiredState === 'running' && row.deletingSince === null,
        liveSince: row.liveDeployment?.liveAt?.getTime() ?? null,
      },
    ]),
  );
}
