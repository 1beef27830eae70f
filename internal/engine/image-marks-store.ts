import type { Db, PrismaClient } from '../db/database.ts';
import { throughOutage } from '../db/through-outage.ts';
import { type Claim, takeTurn } from '../deployments/deployment-queue.ts';
import { type BuiltRelease, recordReusedImage } from '../deployments/deployment-store.ts';
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

/** The newest deployment of the app that has an image of this key, live or not; null: there is none. */
export async function newestOfSameBuild(
  prisma: PrismaClient,
  { appId, buildKey }: { appId: string; buildKey: string },
): Promise<(BuiltRelease & { imageId: string }) | null> {
  const row = await throughOutage(() =>
    prisma.deployment.findFirst({
      where: { appId, buildKey, imageId: { not: null }, imageTag: { not: null } },
      orderBy: { queueSequence: 'desc' },
      omit: { configSnapshot: true },
    }),
  );
  return row && row.imageId !== null ? { ...row, imageId: row.imageId } : null;
}

/**
 * Gives the image of another deployment to this one, in turn with whoever removes images: from here on it is needed.
 * @returns false: it was given up a moment before
 * @throws LeaseLost
 */
export async function takeImageOf(prisma: PrismaClient, claim: Claim, of: BuiltRelease): Promise<boolean> {
  const take = async (tx: Db) => {
    await takeTurn(tx, [claim.appId]);
    const stillThere = { id: of.id, imageId: of.imageId, imageTag: { not: null } };
    if ((await tx.deployment.count({ where: stillThere })) === 0) return false;
    await recordReusedImage(tx, claim, of);
    return true;
  };
  return throughOutage(() => prisma.$transaction(take));
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
