import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { PrivateDocker } from '../support/private-docker.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(420_000);

const NAMES = ['one', 'two', 'three'] as const;

/** Docker without live-restore: where it ends, so do its containers. */
const where = PrivateDocker.isPossible ? describe : describe.skip;
where('apps on a machine whose daemon ends', () => {
  let daemon: PrivateDocker;
  let platform: Platform;
  let busyboxImage: string;
  const apps = new Map<string, AppView>();

  beforeAll(async () => {
    daemon = await PrivateDocker.start({ liveRestore: false });
    busyboxImage = await ensureBusyboxImage(daemon.docker);
    platform = await startPlatform({ docker: daemon, settings: { LEASE_SECONDS: '4' } });
    for (const name of [...NAMES, 'quiet']) apps.set(name, await liveApp(name));
    await platform.api.send('POST', `/apps/${appOf('quiet').id}/stop`);
    await waitUntil('the quiet one to be stopped', async () => (await containersOf('quiet')).length === 0, {
      timeoutMs: 60_000,
    });
  }, 420_000);
  afterAll(async () => {
    try {
      await platform?.close();
    } finally {
      await daemon?.close();
    }
  });

  function appOf(name: string): AppView {
    const app = apps.get(name);
    if (!app) throw new Error(`there is no app ${name}`);
    return app;
  }
  async function liveApp(name: string): Promise<AppView> {
    const repository = await platform.createRepository(name, staticBinaryApp(busyboxImage, name));
    const input = { name, repo_url: repository.url, health_check_path: '/health' };
    return (await platform.createLiveApp(input)).app;
  }
  const containersOf = (name: string) => platform.containers({ appId: appOf(name).id });
  const addresses = async () =>
    (await Promise.all(NAMES.map(containersOf))).map(([container]) => container?.address);
  const page = (name: string) => platform.http(`${name}.localhost`).catch(() => null);

  /** Each app answers as itself, and never with what another one says. */
  async function expectAllBack(): Promise<void> {
    await waitUntil(
      'every app to answer',
      async () => {
        const pages = await Promise.all(NAMES.map(page));
        for (const [index, name] of NAMES.entries()) {
          const answer = pages[index];
          if (answer?.status === 200) expect(JSON.parse(answer.body)).toEqual({ release: name });
        }
        return pages.every((answer) => answer?.status === 200);
      },
      { timeoutMs: 60_000, explain: () => platform.explain('none') },
    );
    expect(await containersOf('quiet')).toEqual([]);
    expect((await page('quiet'))?.status).toBe(503);
    expect((await platform.api.app(appOf('quiet').id)).status).toBe('stopped');
  }

  test('F16: after kill -9 of the daemon all apps are back at their addresses, the stopped one stopped', async () => {
    const before = await addresses();
    // As a release whose drain was cut off has it: Docker brings it back by no policy.
    const [container] = await containersOf('two');
    await daemon.docker.getContainer(container?.id ?? '').update({ RestartPolicy: { Name: 'no' } });
    await daemon.restart('SIGKILL');
    await expectAllBack();
    expect(await addresses()).toEqual(before);
    const [after] = await containersOf('two');
    expect(after).toMatchObject({ id: container?.id, restartPolicy: 'always' });
  });

  test('F15: a build that loses its daemon is tried again, and goes live', async () => {
    const step = 'RUN sleep 3';
    const files = staticBinaryApp(busyboxImage, 'four');
    const withStep = files['Dockerfile']?.replace('FROM scratch', `${step}\nFROM scratch`) ?? '';
    const repository = await platform.createRepository('four', { ...files, Dockerfile: withStep });
    const app = await platform.api.createApp({
      name: 'four',
      repo_url: repository.url,
      health_check_path: '/health',
    });
    const [first] = await platform.api.deployments(app.id);
    await waitUntil('the build step to run', async () => {
      const lines = await platform.api.logLines(first?.id ?? '');
      return lines.some(({ text }) => text.includes('sleep 3'));
    });
    await daemon.restart('SIGKILL');
    await platform.waitForStatus(first?.id ?? '', 'live');
    await platform.waitForEndOfDrain(first?.id ?? '');
    const { attempt } = await platform.prisma.deployment.findUniqueOrThrow({
      where: { id: first?.id ?? '' },
    });
    expect(attempt).toBe(2);
    await expectAllBack();
  });

  test('F18: a daemon that freezes holds nobody: the API answers, and what fell meanwhile is back afterwards', async () => {
    const [container] = await containersOf('three');
    const thaw = daemon.freeze();
    try {
      process.kill(container?.inspect.State.Pid ?? Number.NaN, 'SIGKILL');
      await waitUntil('a look at Docker to be given up', () => platform.workerHasSaid('within 30 s'), {
        timeoutMs: 90_000,
      });
      expect((await platform.api.app(appOf('three').id)).status).toBe('active');
    } finally {
      thaw();
    }
    await expectAllBack();
  });

  test('F13: after the power was gone all apps are back, and the deployment under way goes on', async () => {
    const before = await addresses();
    const files = staticBinaryApp(busyboxImage, 'five');
    const slow = files['Dockerfile']?.replace('FROM scratch', 'RUN sleep 5\nFROM scratch') ?? '';
    const repository = await platform.createRepository('five', { ...files, Dockerfile: slow });
    const app = await platform.api.createApp({
      name: 'five',
      repo_url: repository.url,
      health_check_path: '/health',
    });
    const [first] = await platform.api.deployments(app.id);
    await platform.waitForStep(first?.id ?? '', 'building');
    await Promise.all([
      platform.worker.kill9(),
      platform.apiServer.kill9(),
      platform.traefik.process.kill9(),
      daemon.losePower(),
    ]);
    await daemon.startAgain();
    platform.worker.start();
    await Promise.all([platform.apiServer.start(), platform.traefik.startAgain()]);
    await expectAllBack();
    expect(await addresses()).toEqual(before);
    await platform.waitForStatus(first?.id ?? '', 'live');
    await platform.waitForEndOfDrain(first?.id ?? '');
    await waitUntil(
      'nothing to be there but one container of each app',
      async () => (await platform.containers()).length === apps.size - 1 + ['four', 'five'].length,
      { timeoutMs: 60_000, explain: async () => (await platform.docker.describeAll()).join(', ') },
    );
  });
});
