import type { Db } from '../db/database.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import { newDeployKey } from './deploy-key.ts';

/** The public half; null: the app has no key. */
export async function findDeployKey(db: Db, appId: string): Promise<string | null> {
  const app = await db.app.findUnique({ where: { id: appId }, select: { deployKeyPublic: true } });
  return app?.deployKeyPublic ?? null;
}

/** The app's key, made when it has none. Lock the app before. */
export async function ensureDeployKey(
  tx: Db,
  box: SealedBox,
  appId: string,
): Promise<{ publicKey: string; isNew: boolean }> {
  const { name, deployKeyPublic } = await tx.app.findUniqueOrThrow({
    where: { id: appId },
    select: { name: true, deployKeyPublic: true },
  });
  if (deployKeyPublic !== null) return { publicKey: deployKeyPublic, isNew: false };
  const { publicKey, privateKey } = newDeployKey(`berth-${name}`);
  const deployKeyPrivate = box.seal(privateKey.reveal(), sealContext('services.deploy_key_private', appId));
  await tx.app.update({ where: { id: appId }, data: { deployKeyPublic: publicKey, deployKeyPrivate } });
  return { publicKey, isNew: true };
}

/** False: there was none. */
export async function removeDeployKey(tx: Db, appId: string): Promise<boolean> {
  const { count } = await tx.app.updateMany({
    where: { id: appId, deployKeyPublic: { not: null } },
    data: { deployKeyPublic: null, deployKeyPrivate: null },
  });
  return count > 0;
}
