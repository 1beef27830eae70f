import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { AppView, DeploymentView } from '../support/api-client.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import { nodeApp } from '../support/fixture-apps.ts';
import { type Load, startLoad } from '../support/load-client.ts';
import { describeLost, judgeLoad } from '../support/load-report.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { TestRepository } from '../support/test-git.ts';
import { waitUntil } from '../support/wait-until.ts';

jest.setTimeout(180_000);

/** A release that went live is there to be had again: without a clone, without a build, without a lost request. */
describe('an app with several releases', () => {
  let platform: Platform;
  let nodeImage: string;
  let repository: TestRepository;
  let app: AppView;
  const deployments: DeploymentView[] = [];

  beforeAll(async () => {
    nodeImage = await ensureNodeImage();
    platform = await startPlatform();
    repository = await platform.createRepository('shop', nodeApp(nodeImage, { release: 'v1' }));
    const live = await platform.createLiveApp({
      name: 'shop',
      repo_url: repository.url,
      port: 3000,
      health_check_path: '/health',
      memory_mb: 128,
    });
    app = live.app;
    deployments.push(live.deployment);
    await platform.api.send('PATCH', `/apps/${app.id}`, { memory_mb: 160 });
    await repository.commit(nodeApp(nodeImage, { release: 'v2' }));
    deployments.push(await platform.deploy(app.id));
    await platform.waitForEndOfDrain(deployments[1]?.id ?? '');
  });
  afterAll(() => platform?.close());

  async function ask(what: string, body: object = {}): Promise<DeploymentView> {
    const answer = await platform.api.send('POST', `/apps/${app.id}/${what}`, body);
    expect([what, answer.status]).toEqual([what, 202]);
    const { id } = answer.body as DeploymentView;
    const live = await platform.waitForStatus(id, 'live');
    await platform.waitForEndOfDrain(id);
    return live;
  }
  const startOfLoad = () =>
    startLoad({
      port: platform.httpPort,
      host: 'shop.localhost',
      path: '/',
      ratePerSecond: 50,
      maxSeconds: 120,
    });
  /** Whatever release answered: here the older one may come back. */
  async function expectNoneLost(load: Load): Promise<void> {
    const verdict = judgeLoad(await load.stop(), ['v1', 'v2']);
    expect(describeLost({ ...verdict, stale: [] })).toBe('');
    expect(verdict.total).toBeGreaterThan(50);
  }
  async function expectNotBuilt({ id }: DeploymentView): Promise<void> {
    const lines = await platform.api.logLines(id);
    expect(lines.filter(({ source }) => source === 'build')).toEqual([]);
    expect(lines.filter(({ text }) => /clon/i.test(text))).toEqual([]);
    const steps = await platform.prisma.stepRun.findMany({ where: { deploymentId: id } });
    expect(steps.map(({ step }) => step).toSorted()).toEqual(['draining', 'gating', 'starting', 'switching']);
  }
  const containers = () => platform.containers({ appId: app.id });
  const release = async () => (await platform.http('shop.localhost')).body;

  test('A10: is rolled back to image and settings of the first one, no request lost', async () => {
    const [first] = deployments;
    const load = await startOfLoad();
    const back = await ask('rollback', { deployment_id: first?.id });
    await expectNoneLost(load);
    expect(back.image_id).toBe(first?.image_id);
    await expectNotBuilt(back);
    const [container, ...others] = await containers();
    expect(others).toEqual([]);
    expect(container?.inspect.Image).toBe(first?.image_id);
    expect(container?.inspect.HostConfig.Memory).toBe(128 * 1024 * 1024);
    expect(await release()).toContain('"v1"');
    const { body } = await platform.api.send('GET', `/apps/${app.id}`);
    expect(body).toMatchObject({
      auto_deploy_held_since: expect.any(String),
      pending_changes: ['memory_mb'],
    });
  });

  test('is restarted by another container of the same image, no request lost', async () => {
    const [before] = await containers();
    const load = await startOfLoad();
    await expectNotBuilt(await ask('restart'));
    await expectNoneLost(load);
    const [after] = await containers();
    expect(after?.id).not.toBe(before?.id);
    expect(after?.inspect.Image).toBe(before?.inspect.Image);
  });

  test('A13: takes a changed environment, limit and replica count without a build, no request lost', async () => {
    const [before] = await containers();
    await platform.api.send('PATCH', `/apps/${app.id}`, { replicas: 2, memory_mb: 192 });
    await platform.api.send('POST', `/apps/${app.id}/env`, { key: 'GREETING', value: 'good "day"' });
    const load = await startOfLoad();
    await expectNotBuilt(await ask('deploy', { build: false }));
    await expectNoneLost(load);
    const after = await containers();
    expect(after).toHaveLength(2);
    for (const { inspect } of after) {
      expect(inspect.Image).toBe(before?.inspect.Image);
      expect(inspect.HostConfig.Memory).toBe(192 * 1024 * 1024);
      expect(inspect.Config.Env).toContain('GREETING=good "day"');
    }
    expect((await platform.api.send('GET', `/apps/${app.id}`)).body).toMatchObject({ pending_changes: [] });
  });

  test('A16: once stopped lets the answer under way finish, and stays stopped over a restart of the worker', async () => {
    const slow = platform.http('shop.localhost', '/slow?ms=4000', 'POST');
    await waitUntil('the slow request to be under way', async () => {
      const { body } = await platform.http('shop.localhost');
      return body.includes('"v1"');
    });
    const answer = await platform.api.send('POST', `/apps/${app.id}/stop`);
    expect(answer).toMatchObject({ status: 202, body: { status: 'stopped' } });
    expect((await slow).status).toBe(200);
    await waitUntil('its containers to be gone', async () => (await containers()).length === 0, {
      timeoutMs: 60_000,
    });
    await platform.worker.kill9();
    platform.worker.start();
    await waitUntil('the new worker to have the duty', async () => {
      const lease = await platform.prisma.leaderLease.findUnique({ where: { duty: 'recovery' } });
      return lease?.holder.includes(`-${platform.worker.pid()}-`);
    });
    expect(await containers()).toEqual([]);
    expect((await platform.http('shop.localhost')).status).toBe(503);
    // Where the first worker was killed right before it could say so, the second one does.
    await waitUntil(
      'its release to be called stopped',
      async () => (await platform.api.app(app.id)).live_deployment_id === null,
    );
    expect(await containers()).toEqual([]);
  });

  test('is started again by the release that ran last, without a build', async () => {
    const started = await ask('start');
    await expectNotBuilt(started);
    expect(await containers()).toHaveLength(2);
    expect(await release()).toContain('"v1"');
  });

  test('F40: whose image is gone with its containers is built again from the same commit', async () => {
    const before = (await platform.api.deployments(app.id)).map(({ id }) => id);
    await platform.worker.stop();
    const found = await containers();
    const { docker } = platform.docker;
    for (const { id } of found) await docker.getContainer(id).remove({ force: true });
    await docker.getImage(found[0]?.inspect.Image ?? '').remove({ force: true });
    platform.worker.start();
    const rebuild = await waitUntil(
      'the rebuild',
      () =>
        platform.prisma.deployment.findFirst({
          where: { appId: app.id, id: { notIn: before } },
        }),
      { timeoutMs: 60_000 },
    );
    await platform.waitForStatus(rebuild.id, 'live');
    await platform.waitForEndOfDrain(rebuild.id);
    expect(rebuild.requestedSha).toBe(deployments[0]?.commit_sha);
    expect(await release()).toContain('"v1"');
    const texts = (await platform.api.logLines(rebuild.id)).map(({ text }) => text).join('\n');
    expect(texts).toMatch(/image of release .* is gone/);
  });
});
