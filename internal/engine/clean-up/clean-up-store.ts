import type { PrismaClient } from '../../db/database.ts';
import { neededImages } from '../reconcile-store.ts';
import type { Removal } from './clean-up.ts';

/** How many of the removed ids a row names. */
const NAMED = 50;

/** Image ids that must stay, by app. */
export async function imagesNeeded(
  prisma: PrismaClient,
  appIds: readonly string[],
): Promise<Map<string, Set<string>>> {
  const needed = new Map<string, Set<string>>();
  for (const appId of appIds) needed.set(appId, await neededImages(prisma, appId));
  return needed;
}

/** Apps that a worker may be building right now: their layers are in use. */
export async function appsThatBuild(prisma: PrismaClient): Promise<Set<string>> {
  const rows = await prisma.deployment.findMany({
    where: { status: { in: ['pending', 'building'] } },
    select: { appId: true },
  });
  return new Set(rows.map(({ appId }) => appId));
}

/** Of these, the apps that are still there. */
export async function knownApps(prisma: PrismaClient, ids: readonly string[]): Promise<Set<string>> {
  const rows = await prisma.app.findMany({ where: { id: { in: [...ids] } }, select: { id: true } });
  return new Set(rows.map(({ id }) => id));
}

export async function recordCleanUp(prisma: PrismaClient, removal: Removal): Promise<void> {
  const { kind, count, bytes, removed } = removal;
  await prisma.cleanUp.create({
    data: {
      kind,
      count,
      bytes: BigInt(bytes),
      detail: { removed: removed.slice(0, NAMED).map((of) => ({ ...of })) },
    },
  });
}
