import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureBusyboxImage, ensureNodeImage } from '../support/base-image.ts';
import { nodeAppWith, staticBinaryApp } from '../support/fixture-apps.ts';
import { leftOnDisk } from '../support/left-on-disk.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(180_000);

describe('deleting an app', () => {
  let platform: Platform;
  let busyboxImage: string;

  beforeAll(async () => {
    busyboxImage = await ensureBusyboxImage();
    platform = await startPlatform({ settings: { LEASE_SECONDS: '4' } });
    await liveApp('neighbour');
  });
  afterAll(() => platform?.close());

  async function liveApp(name: string) {
    const repository = await platform.createRepository(name, staticBinaryApp(busyboxImage, name));
    const live = await platform.createLiveApp({
      name,
      repo_url: repository.url,
      health_check_path: '/health',
    });
    return { ...live, repository };
  }

  const isGone = async (id: string) => (await platform.api.send('GET', `/apps/${id}`)).status === 404;

  async function expectNothingOf(appId: string, deploymentIds: readonly string[]): Promise<void> {
    // The engine itself takes away the container of a cancelled build, a moment later.
    await waitUntil(
      'its containers to be gone',
      async () => (await platform.containers({ appId })).length === 0,
    );
    const images = (await platform.docker.images()).flatMap(({ tags }) => tags);
    const folders = leftOnDisk(platform.dataDir);
    for (const id of deploymentIds) {
      expect(images.filter((tag) => tag.includes(id))).toEqual([]);
      expect(folders.filter((folder) => folder.includes(id))).toEqual([]);
    }
    expect((await platform.http('neighbour.localhost')).body).toContain('"neighbour"');
  }

  test('removes its containers, images and folders, then the row; its neighbour does not notice', async () => {
    const { app, deployment, repository } = await liveApp('goner');
    await repository.commit(staticBinaryApp(busyboxImage, 'second'));
    const second = await platform.deploy(app.id);
    await platform.api.deleteApp(app.id);
    await waitUntil('the app to be gone', () => isGone(app.id));
    await expectNothingOf(app.id, [deployment.id, second.id]);
  });

  test('F44: during a build ends that build too, and nothing re-appears', async () => {
    const files = nodeAppWith(await ensureNodeImage(), { release: 'v1' }, ['RUN sleep 600']);
    const repository = await platform.createRepository('builder', files);
    const app = await platform.api.createApp({ name: 'builder', repo_url: repository.url, port: 3000 });
    const [first] = await platform.api.deployments(app.id);
    await platform.waitForStep(first?.id ?? '', 'building');
    await platform.api.deleteApp(app.id);
    await waitUntil('the app to be gone', () => isGone(app.id), { timeoutMs: 100_000 });
    await expectNothingOf(app.id, [first?.id ?? '']);
  });

  test('is finished by the next worker when the first one is killed', async () => {
    const { app, deployment } = await liveApp('survivor');
    await platform.worker.kill9();
    await platform.api.deleteApp(app.id);
    expect(await platform.containers({ appId: app.id })).toHaveLength(1);
    platform.worker.start();
    await waitUntil('the app to be gone', () => isGone(app.id));
    await expectNothingOf(app.id, [deployment.id]);
  });

  test('frees its name', async () => {
    await liveApp('goner');
    expect((await platform.http('goner.localhost')).body).toContain('"goner"');
  });
});
