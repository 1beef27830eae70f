import { z } from 'zod';
import type { PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { id, time } from '../openapi/schemas.ts';
import { recentCleanUps, usageByApp } from './usage-store.ts';

/** As many releases keep their image: five to roll back to, and the live one (deployments/release-reads.ts). */
const KEPT_RELEASES = 6;
const CLEAN_UPS_SHOWN = 100;

const bytes = z.int().min(0);

const usageSchema = z
  .object({
    items: z.array(
      z.object({
        app_id: id,
        app_name: z.string(),
        images: z.int(),
        image_bytes: bytes,
        log_bytes: bytes,
        mirror_bytes: bytes,
        buildkit_cache_bytes: bytes.nullable(),
      }),
    ),
  })
  .meta({
    id: 'Usage',
    examples: [
      {
        items: [
          {
            app_id: 'k3v5ahq2xd',
            app_name: 'web',
            images: 3,
            image_bytes: 412_000_000,
            log_bytes: 52_000,
            mirror_bytes: 9_300_000,
            buildkit_cache_bytes: 0,
          },
        ],
      },
    ],
  });

/** `app` is null of a mirror, which apps may have shared. */
const removedSchema = z.array(z.object({ id: z.string(), app: z.string().nullable() }));

const cleanUpsSchema = z.object({
  items: z.array(
    z.object({
      at: time,
      kind: z.string(),
      count: z.int(),
      bytes,
      removed: removedSchema,
    }),
  ),
});
const detailSchema = z.object({ removed: removedSchema });

/** What apps keep on the disk, and what was removed from it. */
export function usageRoutes({ prisma }: { prisma: PrismaClient }): Operation[] {
  return [
    op({
      method: 'get',
      path: '/usage',
      id: 'readUsage',
      tag: 'platform',
      summary: 'Read what each app keeps on the disk',
      description:
        'Images share layers, and apps of a project the mirror of their repository: counted in each of them. `buildkit_cache_bytes` is null while a build uses that cache, and after one that was broken off.',
      auth: 'token',
      responses: { 200: { description: 'The largest first', schema: usageSchema } },
      async handler(_input, { caller }) {
        const rows = await usageByApp(prisma, caller.userId, KEPT_RELEASES);
        const items = rows.map((row) => ({
          app_id: row.appId,
          app_name: row.appName,
          images: row.images,
          image_bytes: Number(row.imageBytes),
          log_bytes: Number(row.logBytes),
          mirror_bytes: Number(row.mirrorBytes),
          buildkit_cache_bytes: row.buildKitCacheBytes === null ? null : Number(row.buildKitCacheBytes),
        }));
        return { status: 200, body: { items } };
      },
    }),

    op({
      method: 'get',
      path: '/clean-ups',
      id: 'listCleanUps',
      tag: 'platform',
      summary: 'List what was removed to keep the disk within bounds, newest first',
      auth: 'token',
      ownerOnly: true,
      responses: { 200: { description: 'The last hundred', schema: cleanUpsSchema } },
      async handler() {
        const rows = await recentCleanUps(prisma, CLEAN_UPS_SHOWN);
        const items = rows.map((row) => ({
          at: row.at.toISOString(),
          kind: row.kind,
          count: row.count,
          bytes: Number(row.bytes),
          removed: detailSchema.parse(row.detail).removed,
        }));
        return { status: 200, body: { items } };
      },
    }),
  ];
}
