import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { type RepositoryFiles, staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';

jest.setTimeout(120_000);

describe('labels of an image', () => {
  let platform: Platform;
  let busyboxImage: string;
  let victim: AppView;

  beforeAll(async () => {
    busyboxImage = await ensureBusyboxImage();
    platform = await startPlatform();
    const repository = await platform.createRepository('victim', staticBinaryApp(busyboxImage, 'victim'));
    ({ app: victim } = await platform.createLiveApp({
      name: 'victim',
      repo_url: repository.url,
      health_check_path: '/health',
    }));
  });
  afterAll(() => platform?.close());

  function labelled(label: string): RepositoryFiles {
    const files = staticBinaryApp(busyboxImage, 'evil');
    return { ...files, Dockerfile: `${files['Dockerfile']}LABEL "${label.replace('=', '"="')}"\n` };
  }

  test.each([
    ['a router of its own', 'traefik.http.routers.evil.rule=Host(`berth.localhost`)'],
    ['in capitals', 'Traefik.http.routers.evil.priority=99999'],
    ['a label in our name', 'berth.service=victim'],
    ['a compose project', 'com.docker.compose.project=evil'],
  ])('T27: %s is refused, and nothing changes at the proxy', async (name, label) => {
    const routersBefore = await platform.traefik.routers();
    const [victimBefore] = await platform.containers({ appId: victim.id });
    const slug = name.replace(/[^a-z]+/g, '-');
    const repository = await platform.createRepository(slug, labelled(label));
    const app = await platform.api.createApp({ name: slug, repo_url: repository.url });
    const [first] = await platform.api.deployments(app.id);
    const failed = await platform.waitForStatus(first?.id ?? '', 'failed');

    expect(failed.failure_code).toBe('image_label_forbidden');
    expect(failed.failure_reason).toContain(label.slice(0, label.indexOf('=')));
    expect(await platform.containers({ appId: app.id })).toEqual([]);
    expect(await platform.traefik.routers()).toEqual(routersBefore);
    const [victimAfter] = await platform.containers({ appId: victim.id });
    expect(victimAfter).toMatchObject({ id: victimBefore?.id, startedAt: victimBefore?.startedAt });
    const images = (await platform.docker.images()).flatMap(({ tags }) => tags);
    expect(images.filter((tag) => tag.includes(failed.id))).toEqual([]);
  });

  test.each(['berth.app', 'berth.deployment', 'berth.instance'])(
    'T27: %s of an image is overwritten by ours, so that nobody takes another’s identity',
    async (label) => {
      const slug = label.replace('.', '-');
      const repository = await platform.createRepository(slug, labelled(`${label}=${victim.id}`));
      const { app, deployment } = await platform.createLiveApp({
        name: slug,
        repo_url: repository.url,
        health_check_path: '/health',
      });
      const [container] = await platform.containers({ appId: app.id });
      expect(container?.labels).toMatchObject({
        'berth.app': app.id,
        'berth.deployment': deployment.id,
        'berth.instance': platform.instance,
      });
      expect(await platform.containers({ appId: victim.id })).toHaveLength(1);
    },
  );
});
