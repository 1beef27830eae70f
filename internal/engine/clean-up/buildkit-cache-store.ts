import type { PrismaClient } from '../../db/database.ts';
import { throughOutage } from '../../db/through-outage.ts';
import type { BuildKitCache } from './choose-buildkit-caches.ts';

/** Null: not known. */
export interface CacheUse {
  readonly bytes: number | null;
  readonly usedAt: Date | null;
}

/** What is known of the caches of these apps; one that is gone is not in the answer. */
export async function cacheUses(
  prisma: PrismaClient,
  appIds: readonly string[],
): Promise<Map<string, CacheUse>> {
  const rows = await prisma.app.findMany({
    where: { id: { in: [...appIds] } },
    select: { id: true, buildKitCacheBytes: true, buildKitCacheUsedAt: true },
  });
  return new Map(
    rows.map(({ id, buildKitCacheBytes: bytes, buildKitCacheUsedAt: usedAt }) => [
      id,
      // Nothing is what the row says of a cache that nobody has measured yet.
      { bytes: bytes === null || usedAt === null ? null : Number(bytes), usedAt },
    ]),
  );
}

/** That a build of the app uses its cache now, or has used it. */
export async function recordCache(prisma: PrismaClient, appId: string, bytes: number | null): Promise<void> {
  await throughOutage(
    () => prisma.$executeRaw`
      UPDATE services SET buildkit_cache_bytes = ${bytes}::bigint, buildkit_cache_used_at = now()
       WHERE id = ${appId}`,
  );
}

/** That there is none any more, unless a build has used one since. */
export async function forgetCache(
  prisma: PrismaClient,
  { appId, usedAt }: Pick<BuildKitCache, 'appId' | 'usedAt'>,
): Promise<void> {
  await prisma.$executeRaw`
    UPDATE services SET buildkit_cache_bytes = 0, buildkit_cache_used_at = NULL
     WHERE id = ${appId} AND buildkit_cache_used_at IS NOT DISTINCT FROM ${usedAt}::timestamptz`;
}
