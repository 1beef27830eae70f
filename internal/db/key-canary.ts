import { SealBroken, type SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import type { PrismaClient } from './database.ts';
import { ensureInstance } from './instance.ts';

/** The keys of this start are not those of this database. */
export class WrongKey extends Error {
  override readonly name = 'WrongKey';
}

const CANARY = 'berth';

/**
 * Which installation this is, once it is certain that its keys are ours: with a wrong ENCRYPTION_KEY, say after a
 * restore, nothing is written, and nobody finds out one value after the other (F50). The first start leaves a known
 * text, sealed, by which every later one tells.
 * @throws WrongKey
 */
export async function enterInstallation(
  prisma: PrismaClient,
  box: SealedBox,
  dataDir?: string,
): Promise<{ instanceId: string; hasOldKey: boolean }> {
  await requireKey(prisma, box);
  const instanceId = await ensureInstance(prisma, dataDir);
  const keyCanary = box.seal(CANARY, sealContext('instance.key_canary', instanceId));
  await prisma.instance.updateMany({ where: { keyCanary: null }, data: { keyCanary } });
  // Of two first starts at once with different keys, one finds the canary of the other.
  return { instanceId, ...(await requireKey(prisma, box)) };
}

/** `hasOldKey`: a key of before opens the canary, so a change of keys is under way. @throws WrongKey */
export async function requireKey(prisma: PrismaClient, box: SealedBox): Promise<{ hasOldKey: boolean }> {
  const sealed = (await readCanary(prisma)) ?? (await readNewestSnapshot(prisma));
  if (sealed === null) return { hasOldKey: false };
  try {
    box.open(sealed.bytes, sealed.context);
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    throw new WrongKey(
      'ENCRYPTION_KEY is not the key of this database: what it holds was sealed with another one. Start with that ' +
        'key, from your backup of it, or name it in OLD_ENCRYPTION_KEYS. Nothing was changed; live apps go on.',
      { cause: error },
    );
  }
  return { hasOldKey: !box.isPresent(sealed.bytes) };
}

interface Sealed {
  readonly bytes: Uint8Array;
  readonly context: string;
}

async function readCanary(prisma: PrismaClient): Promise<Sealed | null> {
  const instance = await prisma.instance.findFirst();
  if (!instance?.keyCanary) return null;
  return { bytes: instance.keyCanary, context: sealContext('instance.key_canary', instance.id) };
}

/** A database without a canary may hold sealed values all the same: one from before there were canaries. */
async function readNewestSnapshot(prisma: PrismaClient): Promise<Sealed | null> {
  const newest = await prisma.deployment.findFirst({
    orderBy: { queueSequence: 'desc' },
    select: { id: true, configSnapshot: true },
  });
  if (!newest) return null;
  return {
    bytes: newest.configSnapshot,
    context: sealContext('deployments.config_snapshot', newest.id),
  };
}
