import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { nodeAppWith } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';

jest.setTimeout(120_000);

/** What an image may say and must not get: a check that always fails, a volume that nobody removes. */
const HOSTILE_LINES = ['HEALTHCHECK --interval=1s CMD false', 'VOLUME /data'];

describe('the container of a live app', () => {
  let platform: Platform;
  let nodeImage: string;
  let repository: TestRepository;
  let app: AppView;

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform({ settings: { WATCH_SECONDS: '1' } });
    repository = await platform.createRepository(
      'shop',
      nodeAppWith(nodeImage, { release: 'v1' }, HOSTILE_LINES),
    );
    ({ app } = await platform.createLiveApp({
      name: 'shop',
      repo_url: repository.url,
      port: 3000,
      memory_mb: 256,
      cpus: 0.5,
    }));
  });
  afterAll(() => platform?.close());

  async function inspectLive() {
    const [container] = await platform.containers({ appId: app.id });
    if (!container) throw new Error('there is no container');
    return container.inspect;
  }

  test('T31: has no privilege, no namespace and no device of the host (CIS 5.4–5.31)', async () => {
    const { HostConfig: host } = await inspectLive();
    expect(host).toMatchObject({
      Privileged: false,
      PublishAllPorts: false,
      CapDrop: ['ALL'],
      PidsLimit: 512,
      Memory: 256 * 1024 * 1024,
      MemorySwap: 256 * 1024 * 1024,
      NanoCpus: 500_000_000,
      PidMode: '',
      UTSMode: '',
      UsernsMode: '',
      IpcMode: 'private',
    });
    expect(host.SecurityOpt).toContain('no-new-privileges:true');
    expect(JSON.stringify(host.SecurityOpt)).not.toContain('unconfined');
    expect(host.Devices ?? []).toEqual([]);
    expect(host.DeviceRequests ?? []).toEqual([]);
    expect(Object.values(host.PortBindings ?? {})).toEqual([]);
    expect(host.Sysctls ?? {}).toEqual({});
    expect(host.GroupAdd ?? []).toEqual([]);
    expect(host.VolumesFrom ?? []).toEqual([]);
    const dangerous = [
      'ALL',
      'SYS_ADMIN',
      'NET_ADMIN',
      'NET_RAW',
      'SYS_PTRACE',
      'MKNOD',
      'SYS_MODULE',
      'DAC_READ_SEARCH',
    ];
    expect(
      ((host.CapAdd ?? []) as string[]).filter((name) => dangerous.includes(name.replace(/^CAP_/, ''))),
    ).toEqual([]);
  });

  test('T31: joins the network of its project and no other, at its fixed address', async () => {
    const { HostConfig, NetworkSettings } = await inspectLive();
    const networks = Object.keys(NetworkSettings.Networks);
    expect(networks).toEqual([expect.stringMatching(/^[a-z2-7]{6}-default$/)]);
    expect(HostConfig.NetworkMode).toBe(networks[0]);
    expect(HostConfig.ExtraHosts ?? []).toEqual([]);
  });

  test('T31: mounts nothing of the host but the gate, read-only', async () => {
    const mounts = (await inspectLive()).Mounts.filter(({ Type }) => Type !== 'volume');
    expect(mounts).toEqual([expect.objectContaining({ Destination: '/.berth', RW: false })]);
    expect(mounts[0]?.Source).toMatch(new RegExp(`^${platform.dataDir}/gate/`));
    expect(mounts[0]?.Propagation).not.toMatch(/shared/);
  });

  test.each(['privileged', 'binds', 'cap_add', 'pid_mode', 'devices', 'sysctls', 'network_mode'])(
    'T31: the field %s is unknown to the API',
    async (field) => {
      const body = { name: 'other', repo_url: repository.url, [field]: true };
      expect(await platform.api.send('POST', '/apps', body)).toMatchObject({
        status: 400,
        body: { code: 'invalid_input' },
      });
      expect(await platform.api.send('PATCH', `/apps/${app.id}`, { [field]: true })).toMatchObject({
        status: 400,
      });
    },
  );

  test('T38: our health check replaces the image’s', async () => {
    const { Config, State } = await inspectLive();
    expect(JSON.stringify(Config.Healthcheck?.Test)).toContain('/.berth/');
    expect(State.Health?.Status).toBe('healthy');
  });

  test('T38: an anonymous volume goes with its container', async () => {
    const volumes = async () =>
      (await platform.docker.docker.listVolumes()).Volumes.map(({ Name }) => Name).sort();
    const mine = async () =>
      (await inspectLive()).Mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name ? [Name] : []));
    const [before] = await mine();
    expect(before).toBeDefined();
    for (const release of ['v2', 'v3']) {
      await repository.commit(nodeAppWith(nodeImage, { release }, HOSTILE_LINES));
      const { id } = await platform.deploy(app.id);
      await platform.waitForEndOfDrain(id);
    }
    expect(await volumes()).not.toContain(before);
    expect(await mine()).toHaveLength(1);
  });

  test('T39: its log cannot fill the disk', async () => {
    const { LogConfig } = (await inspectLive()).HostConfig;
    expect(['json-file', 'local']).toContain(LogConfig?.Type);
    expect(LogConfig?.Config).toMatchObject({ 'max-size': '10m', 'max-file': '3' });
  });

  test('T31: gets PORT and nothing of ours in its environment', async () => {
    const names = (await inspectLive()).Config.Env.map((entry) => entry.slice(0, entry.indexOf('=')));
    expect((await inspectLive()).Config.Env).toContain('PORT=3000');
    expect(names.filter((name) => /DATABASE|ENCRYPTION|SESSION|TOKEN|SECRET/.test(name))).toEqual([]);
  });
});
