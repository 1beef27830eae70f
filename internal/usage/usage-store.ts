import type { CleanUp, PrismaClient } from '../db/database.ts';

/** What one app keeps on the disk. */
export interface AppUsage {
  readonly appId: string;
  readonly appName: string;
  readonly images: number;
  /** Of its images; layers that several share are counted in each. */
  readonly imageBytes: bigint;
  readonly logBytes: bigint;
  /** Of the mirror of its repository; one that several apps of a project share is counted in each. */
  readonly mirrorBytes: bigint;
  /** What BuildKit keeps for its next build; null: not known. */
  readonly buildKitCacheBytes: bigint | null;
}

/** Of the user's apps, the largest first. An image counts as long as a deployment may still need it. */
export function usageByApp(prisma: PrismaClient, userId: string, keptReleases: number): Promise<AppUsage[]> {
  return prisma.$queryRaw<AppUsage[]>`
    SELECT a.id AS "appId", a.name AS "appName",
           coalesce(i.images, 0)::int AS images, coalesce(i.bytes, 0)::bigint AS "imageBytes",
           coalesce(l.bytes, 0)::bigint AS "logBytes", a.mirror_bytes AS "mirrorBytes",
           a.buildkit_cache_bytes AS "buildKitCacheBytes"
      FROM services a
      JOIN projects p ON p.id = a.project_id
      LEFT JOIN LATERAL (
        SELECT count(*) AS images, sum(bytes) AS bytes FROM (
          SELECT max(image_bytes) AS bytes FROM deployments
           WHERE app_id = a.id AND live_at IS NOT NULL AND image_id IS NOT NULL
           GROUP BY image_id ORDER BY max(live_at) DESC LIMIT ${keptReleases}) kept) i ON true
      LEFT JOIN LATERAL (
        SELECT sum(s.bytes) AS bytes FROM log_streams s
         WHERE s.id = 'app:' || a.id OR s.id IN (SELECT id FROM deployments WHERE app_id = a.id)) l ON true
     WHERE p.user_id = ${userId}
     ORDER BY coalesce(i.bytes, 0) + coalesce(l.bytes, 0) + a.mirror_bytes
              + coalesce(a.buildkit_cache_bytes, 0) DESC, a.id
     LIMIT 1000`;
}

/** What was cleaned up lately, newest first. */
export function recentCleanUps(prisma: PrismaClient, limit: number): Promise<CleanUp[]> {
  return prisma.cleanUp.findMany({ orderBy: { id: 'desc' }, take: limit });
}
