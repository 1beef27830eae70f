import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView, DeploymentView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import { leftOnDisk } from '../support/left-on-disk.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(120_000);

interface ProjectView {
  readonly id: string;
  readonly network: string;
}

describe('deleting a project', () => {
  let platform: Platform;
  let repoUrl: string;

  beforeAll(async () => {
    platform = await startPlatform({ settings: { LEASE_SECONDS: '4' } });
    const files = staticBinaryApp(await ensureBusyboxImage(), 'one');
    ({ url: repoUrl } = await platform.createRepository('one', files));
    await liveApp('neighbour');
  });
  afterAll(() => platform?.close());

  const send = async <T>(method: string, path: string, body?: unknown) =>
    (await platform.api.send(method, path, body)).body as T;

  function liveApp(name: string, more: object = {}) {
    return platform.createLiveApp({ name, repo_url: repoUrl, health_check_path: '/health', ...more });
  }

  /** A project with two live apps. */
  async function liveProject(name: string) {
    const project = await send<ProjectView>('POST', '/projects', { name });
    const more = { project_id: project.id, env: { CANARY: 'of-before' } };
    const apps = [await liveApp(`${name}-a`, more), await liveApp(`${name}-b`, more)];
    return { project, apps };
  }

  const isGone = async ({ id }: ProjectView) =>
    (await platform.api.send('GET', `/projects/${id}`)).status === 404;

  async function expectNothingOf(
    project: ProjectView,
    apps: readonly { app: AppView; deployment: DeploymentView }[],
  ): Promise<void> {
    expect(await platform.docker.networks()).not.toContain(project.network);
    const images = (await platform.docker.images()).flatMap(({ tags }) => tags).join();
    const folders = leftOnDisk(platform.dataDir).join();
    for (const { app, deployment } of apps) {
      // The engine itself takes away the container of a cancelled build, a moment later.
      await waitUntil(
        'its containers to be gone',
        async () => (await platform.containers({ appId: app.id })).length === 0,
      );
      expect(images).not.toContain(deployment.id);
      expect(folders).not.toContain(deployment.id);
      expect((await platform.api.send('GET', `/apps/${app.id}`)).status).toBe(404);
      expect((await platform.http(new URL(app.url).hostname)).status).toBe(404);
      expect(await platform.prisma.logLine.count({ where: { streamId: deployment.id } })).toBe(0);
    }
    expect(await platform.prisma.host.count({ where: { app: { projectId: project.id } } })).toBe(0);
    expect(await platform.prisma.containerAddress.count({ where: { projectId: project.id } })).toBe(0);
    expect((await platform.http('neighbour.localhost')).status).toBe(200);
  }

  test('T75: removes its apps with all that is theirs, then its network, then the row', async () => {
    const { project, apps } = await liveProject('goner');
    expect(await platform.docker.networks()).toContain(project.network);
    expect(await platform.api.send('DELETE', `/projects/${project.id}`)).toMatchObject({
      status: 202,
      body: { status: 'deleting' },
    });
    await waitUntil('the project to be gone', () => isGone(project));
    await expectNothingOf(project, apps);
  });

  test('T75: one of the same name begins anew, with no variable and no line of the old one', async () => {
    const project = await send<ProjectView>('POST', '/projects', { name: 'goner' });
    const { app } = await liveApp('goner-a', { project_id: project.id });
    expect(app.url).toContain('//goner-a.localhost');
    expect(await platform.prisma.envVar.count({ where: { appId: app.id } })).toBe(0);
    const [container] = await platform.containers({ appId: app.id });
    expect(JSON.stringify(container?.inspect.Config.Env)).not.toContain('CANARY');
    expect(container?.inspect.HostConfig.NetworkMode).toBe(project.network);
  });

  test('is finished by the next worker when the first one is killed in the midst of it', async () => {
    const { project, apps } = await liveProject('survivor');
    await platform.api.send('DELETE', `/projects/${project.id}`);
    await waitUntil(
      'the first app to be gone',
      async () => {
        const { apps_count } = await send<{ apps_count: number }>('GET', `/projects/${project.id}`);
        return apps_count < 2;
      },
      { intervalMs: 5 },
    );
    await platform.worker.kill9();
    expect(await isGone(project)).toBe(false);
    expect(await platform.docker.networks()).toContain(project.network);
    platform.worker.start();
    await waitUntil('the project to be gone', () => isGone(project));
    await expectNothingOf(project, apps);
  });

  test('ends a deployment that is under way in it, too', async () => {
    const { project, apps } = await liveProject('busy');
    const [first] = apps;
    if (!first) throw new Error('there is no app');
    const { id } = await platform.api.deploy(first.app.id, { no_cache: true });
    await platform.waitForStep(id, 'building');
    await platform.api.send('DELETE', `/projects/${project.id}`);
    await waitUntil('the project to be gone', () => isGone(project));
    await expectNothingOf(project, apps);
  });
});
