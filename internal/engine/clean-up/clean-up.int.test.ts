import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { fakeWorld } from '../../../test/support/fake-tools.ts';
import { newKey } from '../../../test/support/new-key.ts';
import { seedApp } from '../../../test/support/seed.ts';
import type { App } from '../../db/database.ts';
import { requestDeployment } from '../../deployments/request-deployment.ts';
import { SealedBox } from '../../secrets/sealed-box.ts';
import { forgetImage } from '../image-marks-store.ts';
import type { CachedLayer, ImageSummary, Mirror } from '../ports.ts';
import { cacheUses, recordCache } from './buildkit-cache-store.ts';
import { cleanUp } from './clean-up.ts';

const MB = 1024 * 1024;
const HOUR_MS = 60 * 60 * 1000;
const box = new SealedBox(newKey());
let database: TestDatabase;
let app: App;
let images: ImageSummary[];
let layers: CachedLayer[];
let mirrors: Mirror[];
/** Apps that BuildKit keeps a cache of. */
let caches: string[];
let cachesInUse: string[];
let removed: string[];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().app.deleteMany();
  await prisma().cleanUp.deleteMany();
  app = await seedApp(prisma(), {});
  images = [];
  layers = [];
  mirrors = [];
  caches = [];
  cachesInUse = [];
  removed = [];
});

const prisma = () => database.database.prisma;

function tools() {
  const world = fakeWorld(prisma());
  const remove = async (id: string) => {
    removed.push(id);
  };
  return {
    ...world.tools,
    settings: { ...world.tools.settings, buildCacheMaxMb: 10, buildKitCacheMb: 4, mirrorsMaxMb: 10 },
    mirrors: { ...world.tools.mirrors, list: async () => mirrors, remove },
    images: {
      ...world.tools.images,
      list: async () => images,
      remove,
      cachedLayers: async () => layers,
      removeLayer: remove,
      buildKitCaches: async () => caches,
      removeCache: async (appId: string) => {
        if (cachesInUse.includes(appId)) return false;
        await remove(appId);
        return true;
      },
    },
  };
}

/** A release of so long ago, with an image of its own. */
async function release(imageId: string, hoursAgo: number): Promise<void> {
  const { id } = await requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box);
  const at = new Date(Date.now() - hoursAgo * HOUR_MS);
  await prisma().deployment.update({ where: { id }, data: { status: 'retired', imageId, liveAt: at } });
  images.push({ imageId, appId: app.id, deploymentId: id, createdAt: at, bytes: 100 });
}

const layer = (imageId: string, megabytes: number, hoursAgo: number): CachedLayer => ({
  imageId,
  parentId: null,
  appId: app.id,
  bytes: megabytes * MB,
  createdAt: new Date(Date.now() - hoursAgo * HOUR_MS),
  isNeeded: false,
});

test('A9: the images of the last five releases stay, and older ones go, with a row that tells of it', async () => {
  for (let count = 1; count <= 8; count += 1) await release(`image${count}`, 20 - count);
  await cleanUp(tools());
  expect(removed.sort()).toEqual(['image1', 'image2', 'image3']);
  expect(await prisma().cleanUp.findMany()).toMatchObject([
    { kind: 'images', count: 3, bytes: 300n, dryRun: false },
  ]);
});

test('A10: an image that was removed is offered to nobody, and one that is asked for meanwhile stays', async () => {
  for (let count = 1; count <= 6; count += 1) await release(`image${count}`, 20 - count);
  await prisma().deployment.updateMany({ data: { imageTag: 'berth/web:x' } });
  await cleanUp(tools());
  const listed = await prisma().deployment.findMany({ where: { imageTag: null }, select: { imageId: true } });
  expect(listed).toEqual([{ imageId: 'image1' }]);

  await release('image7', 1);
  const { id } = await requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box);
  await prisma().deployment.update({ where: { id }, data: { imageId: 'image2' } });
  expect(await forgetImage(prisma(), { appId: app.id, imageId: 'image2' })).toBe(false);
});

test('A10: the image of a live release that has crashed stays', async () => {
  await release('serving', 30);
  const { id } = await prisma().deployment.findFirstOrThrow({ where: { imageId: 'serving' } });
  await prisma().app.update({ where: { id: app.id }, data: { liveDeploymentId: id } });
  await prisma().deployment.update({ where: { id }, data: { status: 'crashed' } });
  for (let count = 1; count <= 5; count += 1) await release(`image${count}`, 20 - count);
  await cleanUp(tools());
  expect(removed).toEqual([]);
});

test('F53: a young image stays, because a build may be about to record it', async () => {
  images.push({ imageId: 'new', appId: app.id, deploymentId: 'd', createdAt: new Date(), bytes: 1 });
  await cleanUp(tools());
  expect(removed).toEqual([]);
});

test('A9: the build cache is kept within its bound, oldest first', async () => {
  layers = [layer('newest', 6, 1), layer('oldest', 6, 3), layer('middle', 6, 2)];
  await cleanUp(tools());
  expect(removed).toEqual(['oldest', 'middle']);
});

test('T75: what builds of a deleted app left goes, however little it is', async () => {
  layers = [{ ...layer('left', 0, 1), appId: 'gone234567' }, layer('kept', 1, 1)];
  await cleanUp(tools());
  expect(removed).toEqual(['left']);
});

test('F53: layers of an app whose deployment waits or builds stay', async () => {
  layers = [layer('one', 60, 1)];
  await requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box);
  await cleanUp(tools());
  expect(removed).toEqual([]);
});

test('A9: mirrors that no app uses go, and beyond their bound those that were not used for longest', async () => {
  const other = await seedApp(prisma(), {});
  await prisma().app.update({
    where: { id: other.id },
    data: { repoUrl: 'https://github.com/acme/other.git' },
  });
  await prisma().app.updateMany({ data: { mirrorBytes: 1n } });
  const mirror = (
    of: { projectId: string; repoUrl: string },
    megabytes: number,
    hoursAgo: number,
  ): Mirror => ({
    name: tools().mirrors.nameOf(of),
    bytes: megabytes * MB,
    usedAt: new Date(Date.now() - hoursAgo * HOUR_MS),
  });
  const { projectId } = app;
  const [unused, old, young] = [
    mirror({ projectId, repoUrl: 'https://github.com/acme/gone.git' }, 1, 0),
    mirror(app, 6, 2),
    mirror({ ...other, repoUrl: 'https://github.com/acme/other.git' }, 6, 1),
  ];
  mirrors = [unused, old, young];
  expect(await cleanUp(tools(), { dryRun: true })).toContainEqual(
    expect.objectContaining({ kind: 'mirrors', count: 2, bytes: 7 * MB }),
  );
  expect(removed).toEqual([]);

  await cleanUp(tools());
  expect(removed).toEqual([unused.name, old.name]);
  expect(await prisma().cleanUp.findMany()).toMatchObject([
    { kind: 'mirrors', count: 2, bytes: BigInt(7 * MB) },
  ]);
  const left = await prisma().app.findMany({ where: { mirrorBytes: { gt: 0 } } });
  expect(left.map(({ id }) => id)).toEqual([other.id]);
});

/** An app whose cache was used so long ago; null: nobody knows how large it is. */
async function appWithCache(megabytes: number | null, hoursAgo: number): Promise<string> {
  const { id } = await seedApp(prisma(), {});
  await recordCache(prisma(), id, megabytes === null ? null : megabytes * MB);
  const usedAt = new Date(Date.now() - hoursAgo * HOUR_MS);
  await prisma().app.update({ where: { id }, data: { buildKitCacheUsedAt: usedAt } });
  caches.push(id);
  return id;
}

test('A9: caches of BuildKit are kept within the bound, the longest unused go first, with a row', async () => {
  const [young, old, middle] = [await appWithCache(5, 1), await appWithCache(6, 3), await appWithCache(5, 2)];
  const removal = { kind: 'buildkit_caches', count: 1, bytes: 6 * MB, removed: [{ id: old, app: old }] };
  expect(await cleanUp(tools(), { dryRun: true })).toContainEqual(removal);
  expect(removed).toEqual([]);

  await cleanUp(tools());
  expect(removed).toEqual([old]);
  expect(await prisma().cleanUp.findMany()).toMatchObject([
    { kind: 'buildkit_caches', count: 1, bytes: BigInt(6 * MB), detail: { removed: removal.removed } },
  ]);
  const uses = await cacheUses(prisma(), [young, old, middle]);
  expect(uses.get(old)).toEqual({ bytes: null, usedAt: null });
  expect(uses.get(young)).toEqual({ bytes: 5 * MB, usedAt: expect.any(Date) });
});

test('A9: a cache of a size that nobody knows counts as the most that one may have', async () => {
  // 3 + 3 + 4 of 10 fit; with one that no row tells of, which counts as used the longest ago, they do not.
  for (const megabytes of [3, 3, null]) await appWithCache(megabytes, 1);
  await cleanUp(tools());
  expect(removed).toEqual([]);
  caches.push(app.id);
  await cleanUp(tools());
  expect(removed).toEqual([app.id]);
});

test('T75: the cache of a deleted app goes, however small', async () => {
  await appWithCache(1, 1);
  caches.push('gone234567');
  await cleanUp(tools());
  expect(removed).toEqual(['gone234567']);
});

test('F53: the cache of an app whose deployment waits or builds stays, and one that is in use is left', async () => {
  const [busy, used, old] = [await appWithCache(9, 3), await appWithCache(9, 2), await appWithCache(9, 1)];
  await requestDeployment(prisma(), { appId: busy, trigger: 'manual' }, box);
  cachesInUse = [used];
  const removals = await cleanUp(tools());
  expect(removed).toEqual([old]);
  expect(removals).toContainEqual(
    expect.objectContaining({ kind: 'buildkit_caches', count: 1, bytes: 9 * MB }),
  );
  expect((await cacheUses(prisma(), [used])).get(used)).toMatchObject({ bytes: 9 * MB });
});

test('F53: what a build has written down while its old cache went is not lost', async () => {
  const old = await appWithCache(11, 1);
  const { images: ports, ...others } = tools();
  const removeCache = async (appId: string) => {
    await recordCache(prisma(), appId, 2 * MB);
    return true;
  };
  await cleanUp({ ...others, images: { ...ports, removeCache } });
  expect((await cacheUses(prisma(), [old])).get(old)).toMatchObject({ bytes: 2 * MB });
});

test('A9: a dry run tells what would go, removes nothing and writes nothing', async () => {
  layers = [layer('old', 60, 1)];
  expect(await cleanUp(tools(), { dryRun: true })).toMatchObject([
    { kind: 'images', count: 0 },
    { kind: 'build_cache', count: 1, bytes: 60 * MB, removed: [{ id: 'old', app: app.id }] },
    { kind: 'buildkit_caches', count: 0 },
    { kind: 'mirrors', count: 0 },
  ]);
  expect(removed).toEqual([]);
  expect(await prisma().cleanUp.count()).toBe(0);
});
