import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

test('A9: usage counts the images of the last releases, and the lines, by app', async () => {
  const { body: app } = await api.call('post', '/apps').send({ name: 'web', repo_url: 'acme/web' });
  await api.call('post', '/apps').send({ name: 'empty', repo_url: 'acme/empty', deploy: false });
  const { id } = await api.prisma.deployment.findFirstOrThrow({ where: { appId: app.id } });
  await api.prisma.deployment.update({
    where: { id },
    data: { status: 'live', imageId: 'sha256:one', imageBytes: 1_000n, liveAt: new Date() },
  });
  await api.prisma.app.update({ where: { id: app.id }, data: { mirrorBytes: 5n, buildKitCacheBytes: 7n } });
  await api.prisma.logStream.update({ where: { id }, data: { bytes: 77n } });

  const { body } = await api.call('get', '/usage');
  expect(body.items).toEqual([
    {
      app_id: app.id,
      app_name: 'web',
      images: 1,
      image_bytes: 1_000,
      log_bytes: 77,
      mirror_bytes: 5,
      buildkit_cache_bytes: 7,
    },
    {
      app_id: expect.any(String),
      app_name: 'empty',
      images: 0,
      image_bytes: 0,
      log_bytes: 0,
      mirror_bytes: 0,
      buildkit_cache_bytes: 0,
    },
  ]);
});

test('A9: what was cleaned up is told, newest first', async () => {
  const removed = [{ id: 'sha256:old', app: 'k3v5ahq2xd' }];
  for (const count of [1, 2]) {
    await api.prisma.cleanUp.create({ data: { kind: 'images', count, bytes: 5n, detail: { removed } } });
  }
  const { body } = await api.call('get', '/clean-ups');
  expect(body.items).toMatchObject([
    { kind: 'images', count: 2, bytes: 5, removed },
    { kind: 'images', count: 1 },
  ]);
});
