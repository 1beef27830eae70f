import type { PrismaClient } from '../db/database.ts';

/** Projects that shall go and whose last app has gone. None comes in any more: `lockOpenProject` sees to that. */
export function projectsToRemove(prisma: PrismaClient) {
  return prisma.project.findMany({
    where: { deletingSince: { not: null }, apps: { none: {} } },
    orderBy: { deletingSince: 'asc' },
    select: { id: true, name: true, networkName: true },
  });
}

/** Resting addresses go with it, and the subnet is free. */
export async function deleteProjectRow(prisma: PrismaClient, id: string): Promise<void> {
  await prisma.project.deleteMany({ where: { id } });
}
