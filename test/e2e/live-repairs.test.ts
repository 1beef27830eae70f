import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import type { TestContainer } from '../support/docker-objects.ts';
import { staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(120_000);

/** What a person does to the containers of a live app by hand is undone, and the app's log tells of it. */
describe('a live app', () => {
  let platform: Platform;
  let app: AppView;
  let busyboxImage: string;

  beforeAll(async () => {
    busyboxImage = await ensureBusyboxImage();
    platform = await startPlatform();
    const repository = await platform.createRepository('shop', staticBinaryApp(busyboxImage, 'v1'));
    ({ app } = await platform.createLiveApp({
      name: 'shop',
      repo_url: repository.url,
      health_check_path: '/health',
    }));
  });
  afterAll(() => platform?.close());
  /** So that no test waits for the pause that the one before has earned. */
  beforeEach(() => platform.prisma.releaseHealth.deleteMany());

  async function container(): Promise<TestContainer> {
    const [found, ...others] = await platform.containers({ appId: app.id });
    if (!found || others.length > 0) throw new Error('exactly one container was expected');
    return found;
  }
  const docker = ({ id }: TestContainer) => platform.docker.docker.getContainer(id);

  async function expectServed(): Promise<TestContainer> {
    await waitUntil(
      'the app to be served',
      async () => (await platform.http('shop.localhost')).body.includes('"v1"'),
      { timeoutMs: 60_000 },
    );
    const found = await container();
    expect(found).toMatchObject({ running: true, restartPolicy: 'always' });
    return found;
  }
  async function expectLine(text: RegExp): Promise<void> {
    const lines = async () => {
      const { body } = await platform.api.send('GET', `/apps/${app.id}/logs`);
      return (body as { items: { text: string }[] }).items.map((line) => line.text).join('\n');
    };
    // The app may be served a moment before it is told.
    await waitUntil(`the line ${text}`, async () => text.test(await lines()), { explain: lines });
  }

  test('F38: whose container was removed by hand has the same again, with the same address', async () => {
    const before = await container();
    await docker(before).remove({ force: true });
    await waitUntil(
      'another container',
      async () => (await platform.containers({ appId: app.id })).length === 1,
      {
        timeoutMs: 60_000,
      },
    );
    const after = await expectServed();
    expect(after.id).not.toBe(before.id);
    expect([after.name, after.address, after.labels]).toEqual([before.name, before.address, before.labels]);
    await expectLine(/Replica 1 was gone and has been made anew/);
  });

  test.each<[string, (found: TestContainer) => Promise<unknown>, RegExp]>([
    ['stopped', (found) => docker(found).stop({ t: 0 }), /Replica 1 had ended .* has been started again/],
    [
      'paused',
      async (found) => {
        // While a check begins Docker may lock itself up over a pause; so it is to hold.
        await waitUntil('the check to hold', async () =>
          JSON.stringify((await docker(found).top()).Processes).includes('sleep 3600'),
        );
        await docker(found).pause();
      },
      /Replica 1 was paused and goes on/,
    ],
    [
      'renamed and killed',
      async (found) => {
        await docker(found).rename({ name: `renamed-${found.id.slice(0, 12)}` });
        await docker(found).update({ RestartPolicy: { Name: 'no' } });
        await docker(found).kill();
      },
      /Replica 1 had ended/,
    ],
  ])('F39: whose container was %s by hand runs on in the same container', async (_how, harm, line) => {
    const before = await container();
    await harm(before);
    await waitUntil(
      'the repair',
      async () => {
        const { Paused, Running } = (await docker(before).inspect()).State;
        return Running && !Paused;
      },
      { timeoutMs: 60_000 },
    );
    expect((await expectServed()).id).toBe(before.id);
    await expectLine(line);
  });

  /** At its start a worker looks at everything at once. */
  async function lookNow(): Promise<void> {
    await platform.worker.stop();
    platform.worker.start();
  }

  test('F41: whose network was removed by hand is in it again, without a restart', async () => {
    const before = await container();
    const [name = ''] = await platform.docker.networks();
    const network = platform.docker.docker.getNetwork(name);
    await network.disconnect({ Container: before.id, Force: true });
    await network.remove();
    await lookNow();
    await waitUntil('the network', async () => (await container()).address === before.address, {
      timeoutMs: 60_000,
    });
    const after = await expectServed();
    expect([after.id, after.startedAt]).toEqual([before.id, before.startedAt]);
    await expectLine(/The network of the project was gone and has been made anew/);
  });

  test('F42, T76: beside it a container without a row is put away, and foreign ones are not touched', async () => {
    const engine = platform.docker.docker;
    const { labels } = await container();
    const start = async (Labels: Record<string, string>) => {
      const Cmd = ['sleep', '600'];
      const HostConfig = { NetworkMode: 'none', Init: true };
      const made = await engine.createContainer({ Image: busyboxImage, Cmd, Labels, HostConfig });
      await made.start();
      return made;
    };
    const unknown = { ...labels, 'berth.app': 'zzzzzzzzzz', 'berth.deployment': 'yyyyyyyyyy' };
    const stray = await start({ ...unknown, 'traefik.enable': 'false' });
    const foreign = [
      await start({}),
      await start({ ...unknown, 'berth.instance': 'another', 'traefik.enable': 'false' }),
    ];
    const volume = await engine.createVolume({ Name: `foreign-${stray.id.slice(0, 12)}` });
    try {
      await lookNow();
      const listed = () => platform.api.send('GET', '/quarantine');
      await waitUntil(
        'the quarantine',
        async () => JSON.stringify((await listed()).body).includes(stray.id),
        {
          timeoutMs: 60_000,
        },
      );
      const { State, HostConfig } = await stray.inspect();
      expect([State.Running, HostConfig.RestartPolicy?.Name]).toEqual([false, 'no']);
      expect((await platform.api.send('DELETE', `/quarantine/${stray.id}`)).status).toBe(202);
      await lookNow();
      await waitUntil(
        'its removal',
        async () => {
          const { body } = await listed();
          return JSON.stringify(body) === JSON.stringify({ items: [] });
        },
        { timeoutMs: 60_000 },
      );
      for (const one of foreign) expect((await one.inspect()).State.Running).toBe(true);
      expect((await volume.inspect()).Name).toBe(`foreign-${stray.id.slice(0, 12)}`);
      await expectServed();
    } finally {
      for (const one of foreign) await one.remove({ force: true });
      await volume.remove();
    }
  });
});
