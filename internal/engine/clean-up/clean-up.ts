import { forgetImage } from '../image-marks-store.ts';
import type { Tools } from '../job.ts';
import type { ImageSummary } from '../ports.ts';
import { cacheUses, forgetCache } from './buildkit-cache-store.ts';
import { cachesToRemove } from './choose-buildkit-caches.ts';
import { imagesToRemove } from './choose-images.ts';
import { cacheBytes, layersToRemove } from './choose-layers.ts';
import { mirrorsToRemove } from './choose-mirrors.ts';
import { appsThatBuild, imagesNeeded, knownApps, recordCleanUp } from './clean-up-store.ts';
import { recordMirror, repositoriesInUse } from './mirror-store.ts';

const MB = 1024 * 1024;

type CleanUpTools = Pick<Tools, 'prisma' | 'images' | 'mirrors' | 'logger'> & {
  readonly settings: Pick<Tools['settings'], 'buildCacheMaxMb' | 'buildKitCacheMb' | 'mirrorsMaxMb'>;
};

/** What went, or with a dry run would go. */
export interface Removal {
  readonly kind: 'images' | 'build_cache' | 'buildkit_caches' | 'mirrors';
  readonly count: number;
  readonly bytes: number;
  /** Ids of what went, with its app. A cache of BuildKit has its app's id; a mirror may have been of several apps. */
  readonly removed: readonly { readonly id: string; readonly app: string | null }[];
}

/**
 * Keeps what builds leave behind within bounds: images that no release or rollback needs, layers of the build cache
 * beyond BUILD_CACHE_MAX_MB, caches of BuildKit beyond the same or of no app, and mirrors of repositories that no app
 * uses, or beyond MIRRORS_MAX_MB. By id and by our own labels only; what is not ours, and every volume of data, stays.
 * Each removal leaves a row that tells of it; a dry run removes nothing and writes nothing.
 */
export async function cleanUp(
  tools: CleanUpTools,
  { dryRun = false, now = Date.now() }: { dryRun?: boolean; now?: number } = {},
): Promise<readonly Removal[]> {
  const removals = [
    await removeImages(tools, { dryRun, now }),
    await removeLayers(tools, dryRun),
    await removeBuildKitCaches(tools, dryRun),
    await removeMirrors(tools, dryRun),
  ];
  if (dryRun) return removals;
  for (const removal of removals.filter(({ count }) => count > 0)) {
    const { kind, count, bytes } = removal;
    tools.logger.info({ kind, count, bytes }, 'cleaned up');
    await recordCleanUp(tools.prisma, removal);
  }
  return removals;
}

async function removeImages(
  { prisma, images }: CleanUpTools,
  { dryRun, now }: { dryRun: boolean; now: number },
): Promise<Removal> {
  const all = await images.list({});
  const needed = await imagesNeeded(prisma, [...new Set(all.map(({ appId }) => appId))]);
  const gone: ImageSummary[] = [];
  for (const image of imagesToRemove(all, needed, now)) {
    // Someone may ask for it at this very moment.
    if (!dryRun && !(await forgetImage(prisma, image))) continue;
    if (!dryRun) await images.remove(image.imageId);
    gone.push(image);
  }
  const removed = gone.map(({ imageId, appId }) => ({ id: imageId, app: appId }));
  return { kind: 'images', count: gone.length, bytes: sum(gone), removed };
}

/** After the images: their layers have become cache. What deleted apps left goes in any case. */
async function removeLayers({ prisma, images, settings }: CleanUpTools, dryRun: boolean): Promise<Removal> {
  const layers = await images.cachedLayers();
  const apps = await knownApps(prisma, [...new Set(layers.map(({ appId }) => appId))]);
  const orphaned = layersToRemove(
    layers.filter(({ appId }) => !apps.has(appId)),
    { maxBytes: -1, busyApps: new Set() },
  );
  const ofApps = layers.filter(({ appId }) => apps.has(appId));
  const maxBytes = settings.buildCacheMaxMb * MB;
  // Most of the time there is room, and then nobody needs to be asked what builds.
  const isTooMuch = cacheBytes(ofApps) > maxBytes;
  const excess = isTooMuch ? layersToRemove(ofApps, { maxBytes, busyApps: await appsThatBuild(prisma) }) : [];
  const old = [...orphaned, ...excess];
  if (!dryRun) for (const { imageId } of old) await images.removeLayer(imageId);
  const removed = old.map(({ imageId, appId }) => ({ id: imageId, app: appId }));
  return { kind: 'build_cache', count: old.length, bytes: sum(old), removed };
}

async function removeBuildKitCaches(
  { prisma, images, settings }: CleanUpTools,
  dryRun: boolean,
): Promise<Removal> {
  // Docker before the rows: a build that begins in between has a row that says so.
  const appIds = await images.buildKitCaches();
  const uses = await cacheUses(prisma, appIds);
  const caches = appIds.map((appId) => {
    const { bytes = null, usedAt = null } = uses.get(appId) ?? {};
    return { appId, bytes: bytes ?? settings.buildKitCacheMb * MB, usedAt };
  });
  const old = cachesToRemove(caches, {
    apps: new Set(uses.keys()),
    busyApps: await appsThatBuild(prisma),
    maxBytes: settings.buildCacheMaxMb * MB,
  });
  const gone: typeof old = [];
  for (const cache of old) {
    if (!dryRun && !(await images.removeCache(cache.appId))) continue;
    if (!dryRun) await forgetCache(prisma, cache);
    gone.push(cache);
  }
  const removed = gone.map(({ appId }) => ({ id: appId, app: appId }));
  return { kind: 'buildkit_caches', count: gone.length, bytes: sum(gone), removed };
}

async function removeMirrors({ prisma, mirrors, settings }: CleanUpTools, dryRun: boolean): Promise<Removal> {
  // The disk before the rows: a mirror has a row first, which says that it is used.
  const all = await mirrors.list();
  const users = all.length === 0 ? [] : await repositoriesInUse(prisma);
  const used = new Map(users.map((of) => [mirrors.nameOf(of), of]));
  const maxBytes = settings.mirrorsMaxMb * MB;
  const old = mirrorsToRemove(all, { used: new Set(used.keys()), maxBytes });
  for (const { name } of dryRun ? [] : old) {
    await mirrors.remove(name);
    const of = used.get(name);
    if (of) await recordMirror(prisma, of, 0);
  }
  const removed = old.map(({ name }) => ({ id: name, app: null }));
  return { kind: 'mirrors', count: old.length, bytes: sum(old), removed };
}

function sum(of: readonly { readonly bytes: number }[]): number {
  return of.reduce((total, { bytes }) => total + bytes, 0);
}
