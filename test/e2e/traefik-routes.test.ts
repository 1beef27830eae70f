import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView, DeploymentView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { type AppBehaviour, nodeApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(120_000);

describe('routes', () => {
  let platform: Platform;
  let nodeImage: string;

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform();
  });
  afterAll(() => platform?.close());

  interface Live {
    app: AppView;
    deployment: DeploymentView;
    repository: TestRepository;
    commit: (behaviour: AppBehaviour) => Promise<string>;
  }

  async function liveApp(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<Live> {
    const repository = await platform.createRepository(name, nodeApp(nodeImage, { release: 'v1' }));
    const live = await platform.createLiveApp({
      name,
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
      ...more,
    });
    return { ...live, repository, commit: (behaviour) => repository.commit(nodeApp(nodeImage, behaviour)) };
  }

  const hostOf = (app: AppView, deploymentId: string) => `${app.name}-${deploymentId}.localhost`;
  const routerOf = async (name: string) =>
    (await platform.traefik.routers()).find((router) => router.name === `${name}@docker`);

  test('each release has a host of its own, a higher priority, and loses both when it is retired', async () => {
    const { app, deployment: first, commit } = await liveApp('own-host');
    expect((await platform.http(hostOf(app, first.id))).body).toContain('"v1"');
    const before = await routerOf(`own-host-${first.id}-main`);
    expect(before).toMatchObject({
      rule: expect.stringContaining('Host(`own-host.localhost`)'),
      status: 'enabled',
    });
    expect(before?.priority).toBeGreaterThan(1_000);

    await commit({ release: 'v2' });
    const second = await platform.deploy(app.id);
    expect((await platform.http(hostOf(app, second.id))).body).toContain('"v2"');
    expect((await routerOf(`own-host-${second.id}-main`))?.priority).toBeGreaterThan(before?.priority ?? 0);
    const own = await routerOf(`own-host-${second.id}`);
    expect(own?.rule).toBe(`Host(\`${hostOf(app, second.id)}\`)`);

    await platform.waitForEndOfDrain(second.id);
    await waitUntil('the routers of the retired release to go', async () => {
      return (await routerOf(`own-host-${first.id}-main`)) === undefined;
    });
    expect((await platform.http(hostOf(app, first.id))).status).toBe(503);
  });

  test('T29: replicas carry byte-equal Traefik labels and share the requests', async () => {
    const { app } = await liveApp('pair', { replicas: 2 });
    const containers = await platform.containers({ appId: app.id });
    expect(containers).toHaveLength(2);
    const [one, other] = containers.map(({ labels }) =>
      Object.fromEntries(Object.entries(labels).filter(([name]) => name.startsWith('traefik.'))),
    );
    expect(Object.keys(one ?? {}).length).toBeGreaterThan(5);
    expect(other).toEqual(one);
    const answered = new Set<string>();
    for (let count = 0; count < 10; count++) {
      answered.add(
        (JSON.parse((await platform.http('pair.localhost')).body) as { container: string }).container,
      );
    }
    expect(answered.size).toBe(2);
  });

  test('a container has a fixed address of its project’s subnet, which no other gets soon', async () => {
    const { app, commit } = await liveApp('fixed');
    const [before] = await platform.containers({ appId: app.id });
    const pool = platform.settings['NETWORK_POOL']?.split('.').slice(0, 2).join('.');
    expect(before?.address).toMatch(new RegExp(`^${pool}\\.`));
    await platform.docker.docker.getContainer(before?.id ?? '').restart({ t: 0 });
    const [restarted] = await platform.containers({ appId: app.id });
    expect(Object.values(restarted?.inspect.NetworkSettings.Networks ?? {})[0]?.IPAddress).toBe(
      before?.address,
    );
    await waitUntil('the restarted app to be routed again', async () => {
      return (await platform.http('fixed.localhost')).status === 200;
    });

    await commit({ release: 'v2' });
    const second = await platform.deploy(app.id);
    await platform.waitForEndOfDrain(second.id);
    await commit({ release: 'v3' });
    const third = await platform.deploy(app.id);
    const [after] = await platform.containers({ deploymentId: third.id });
    expect(after?.address).not.toBe(before?.address);
  });

  test('the restart policy is no until the drain is over, then always', async () => {
    const { app, deployment: first, commit } = await liveApp('policy');
    const policyOf = async (deploymentId: string) =>
      (await platform.containers({ deploymentId }))[0]?.restartPolicy;
    expect(await policyOf(first.id)).toBe('always');

    const held = platform.http('policy.localhost', '/slow?ms=4000', 'POST');
    await commit({ release: 'v2', listenAfterMs: 500 });
    const { id } = await platform.api.deploy(app.id);
    await platform.waitForStep(id, 'gating');
    expect(await policyOf(id)).toBe('no');
    await platform.waitForStep(id, 'draining');
    expect(await policyOf(id)).toBe('no');
    expect(await policyOf(first.id)).toBe('always');
    expect((await held).status).toBe(200);
    await platform.waitForEndOfDrain(id);
    expect(await policyOf(id)).toBe('always');
  });

  test('a candidate at the gate gets no request', async () => {
    const { app, commit } = await liveApp('gated');
    await commit({ release: 'v2', listenAfterMs: 1_500 });
    const { id } = await platform.api.deploy(app.id);
    await platform.waitForStep(id, 'gating');
    expect(await routerOf(`gated-${id}-main`)).toBeUndefined();
    expect((await platform.http('gated.localhost')).body).toContain('"v1"');
    const own = await platform.http(hostOf(app, id));
    expect(own.status).toBe(503);
    expect(own.body).not.toContain('"release"');
    await platform.waitForStatus(id, 'live');
  });

  test('a new release that dies while the old one drains is crashed, and the previous one is live again', async () => {
    const { app, deployment: first, commit } = await liveApp('fallback');
    const held = platform.http('fallback.localhost', '/slow?ms=9000', 'POST');
    await commit({ release: 'v2' });
    const second = await platform.deploy(app.id);
    await platform.waitForStep(second.id, 'draining');
    await platform.http(hostOf(app, second.id), '/die', 'POST').catch(() => undefined);

    await waitUntil('the old release to answer', async () => {
      return (await platform.http('fallback.localhost')).body.includes('"v1"');
    });
    await platform.waitForStatus(second.id, 'crashed');
    expect((await platform.api.deployment(first.id)).status).toBe('live');
    expect(await platform.api.app(app.id)).toMatchObject({ live_deployment_id: first.id });
    expect((await held).status).toBe(200);
    await platform.waitForEndOfDrain(second.id);
    expect((await platform.http('fallback.localhost')).body).toContain('"v1"');
    const containers = await waitUntil('the dead container to be removed', async () => {
      const all = await platform.containers({ appId: app.id });
      return all.length === 1 && all;
    });
    expect(containers[0]).toMatchObject({ deploymentId: first.id, restartPolicy: 'always', running: true });
  });

  test('F43: a deployment waits for a proxy that is away, says so, and brings back all routes with it', async () => {
    const { app, deployment: first, commit } = await liveApp('waiting');
    const { app: neighbour } = await liveApp('beside');
    const served = async () =>
      (await platform.containers({ appId: neighbour.id })).map(({ id, startedAt }) => ({ id, startedAt }));
    const before = await served();
    await platform.traefik.process.kill9();
    await commit({ release: 'v2' });
    const { id } = await platform.api.deploy(app.id);
    await waitUntil('the log to tell of it', async () =>
      (await platform.api.logLines(id)).some(({ text }) => text.includes('does not answer; waiting for it')),
    );
    expect((await platform.api.deployment(id)).status).toBe('deploying');
    expect((await platform.api.app(app.id)).live_deployment_id).toBe(first.id);

    await platform.traefik.startAgain();
    await platform.waitForStatus(id, 'live');
    expect((await platform.http('waiting.localhost')).body).toContain('"v2"');
    await waitUntil('the neighbour to be routed again', async () => {
      return (await platform.http('beside.localhost')).status === 200;
    });
    expect(await served()).toEqual(before);
    expect(await platform.api.deployment(id)).toMatchObject({ attempt: 1 });
  });

  test('apps of one project reach each other by name', async () => {
    const { app } = await liveApp('caller');
    await liveApp('callee');
    const [container] = await platform.containers({ appId: app.id });
    const exec = await platform.docker.docker.getContainer(container?.id ?? '').exec({
      Cmd: ['node', '-e', 'fetch("http://callee:3000/").then((r) => process.exit(r.status === 200 ? 0 : 1))'],
    });
    // Unread, the empty answer keeps its connection and the run up until the daemon's patience ends, for five minutes.
    (await exec.start({ Detach: true })).resume();
    const ended = await waitUntil('the call to end', async () => {
      const state = await exec.inspect();
      return state.Running ? null : state;
    });
    expect(ended.ExitCode).toBe(0);
  });
});
