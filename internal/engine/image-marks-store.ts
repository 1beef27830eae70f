import type { PrismaClient } from '../db/database.ts';
import { takeTurn } from '../deployments/deployment-queue.ts';
import { neededImages } from './reconcile-store.ts';

/** A release whose image is gone has no `image_tag` any more, so that nobody is offered a way back to it. */

/**
 * Before an image is removed. In turn with whoever asks for a rollback: either they find it gone, or it is needed.
 * @returns false: it has come to be needed, and stays
 */
export async function forgetImage(
  prisma: PrismaClient,
  { appId, imageId }: { appId: string; imageId: string },
): Promise<boolean> {
  return prisma.$transaction(async (tx) => {
    await takeTurn(tx, [appId]);
    if ((await neededImages(tx, appId)).has(imageId)) return false;
    await tx.deployment.updateMany({ where: { appId, imageId }, data: { imageTag: null } });
    return true;
  });
}

/**
 * After a look at all images: those that someone else has removed.
 * @param lookedAt by the database's clock, before the look: what went live later was not there to be seen
 * @returns how many releases have lost theirs
 */
export async function noteMissingImages(
  prisma: PrismaClient,
  of: { present: readonly string[]; lookedAt: Date },
): Promise<number> {
  const { count } = await prisma.deployment.updateMany({
    where: {
      liveAt: { lt: of.lookedAt },
      imageTag: { not: null },
      imageId: { not: null, notIn: [...of.present] },
    },
    data: { imageTag: null },
  });
  return count;
}
