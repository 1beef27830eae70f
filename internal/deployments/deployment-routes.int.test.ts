import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const SHA = '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123';
const makeApp = async (name: string): Promise<string> => {
  const body = { name, repo_url: 'https://github.com/acme/shop', branch: 'main', deploy: false };
  return (await api.call('post', '/apps').send(body)).body.id;
};
const deploy = (appId: string, body: object = {}) => api.call('post', `/apps/${appId}/deploy`).send(body);

describe('asking for a deployment', () => {
  test('answers 202 with the waiting deployment, its place and why it waits', async () => {
    const appId = await makeApp('ask');
    const answer = await deploy(appId);
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/api/v1/deployments/${answer.body.id}`);
    expect(answer.body).toMatchObject({
      app_id: appId,
      app_name: 'ask',
      status: 'pending',
      step: null,
      trigger: 'manual',
      branch: 'main',
      requested_sha: null,
      url: `http://ask-${answer.body.id}.apps.test:8000`,
      attempt: 0,
      worker: null,
      waiting_for: 'No worker is running; start one.',
      steps: [],
      log_tail: [],
      build_logs: '',
    });
    expect(answer.body.queue_position).toBeGreaterThan(0);
  });

  test('takes a commit, a branch, both, or no body at all', async () => {
    const appId = await makeApp('commit');
    expect((await deploy(appId, { commit_sha: SHA.toUpperCase() })).body).toMatchObject({
      requested_sha: SHA,
      branch: 'main',
    });
    expect((await deploy(appId, { branch: 'feature/a' })).body.branch).toBe('feature/a');
    expect((await deploy(appId, { branch: 'next', commit_sha: SHA })).status).toBe(202);
    expect((await api.call('post', `/apps/${appId}/deploy`)).status).toBe(202);
  });

  test.each([
    [{ commit_sha: '4f2a9c0' }, '/commit_sha'],
    [{ commit_sha: '--orphan=x' }, '/commit_sha'],
    [{ branch: '-u' }, '/branch'],
    [{ branch: '$(touch /tmp/pwn)' }, '/branch'],
    [{ image_id: 'sha256:x' }, '/image_id'],
  ])('T02: %j is refused', async (body, field) => {
    const appId = await makeApp(`bad-${Math.random().toString(36).slice(2, 8)}`);
    const answer = await deploy(appId, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ field }]);
    expect(await api.prisma.deployment.count({ where: { appId } })).toBe(0);
  });

  test('A6: it says what it waits for', async () => {
    const appId = await makeApp('waits');
    const first = (await deploy(appId)).body.id;
    const second = (await deploy(appId)).body.id;
    const reason = async () => (await api.call('get', `/deployments/${second}`)).body.waiting_for;
    await api.prisma.worker.create({ data: { id: 'w', hostname: 'h', pid: 1 } });
    expect(await reason()).toMatch(/^\d+ other deployments? (is|are) ahead\.$/);
    await api.prisma.deployment.update({
      where: { id: first },
      data: { status: 'building', step: 'cloning', leaseOwner: 'w', leaseExpiresAt: new Date() },
    });
    expect((await api.call('get', `/deployments/${first}`)).body.worker).toBe('w');
    expect(await reason()).toBe(`Deployment ${first} of this app is under way; it goes first.`);
    await api.prisma.worker.update({ where: { id: 'w' }, data: { heartbeatAt: new Date(0) } });
    expect(await reason()).toBe('No worker is running; start one.');
  });
});

describe('one call for a repository', () => {
  const quick = (body: object) => api.call('post', '/deployments').send(body);

  test('makes the app in `default`, then finds it again', async () => {
    const made = await quick({ repo: 'acme/one-call', branch: 'main', port: 3000 });
    expect(made.status).toBe(202);
    expect(made.body).toEqual({ app_id: expect.any(String), deployment_id: expect.any(String) });
    const app = (await api.call('get', `/apps/${made.body.app_id}`)).body;
    expect(app).toMatchObject({
      name: 'one-call',
      project: 'default',
      repo_url: 'https://github.com/acme/one-call',
      branch: 'main',
      port: 3000,
    });
    const deployment = (await api.call('get', `/deployments/${made.body.deployment_id}`)).body;
    expect(deployment).toMatchObject({ trigger: 'api', branch: 'main' });

    const again = await quick({ repo: 'https://github.com/acme/one-call', branch: 'main', port: 4000 });
    expect(again.body.app_id).toBe(made.body.app_id);
    expect(again.body.deployment_id).not.toBe(made.body.deployment_id);
    expect((await api.call('get', `/apps/${made.body.app_id}`)).body.port).toBe(4000);
    const kept = await quick({ repo: 'acme/one-call', branch: 'main' });
    expect((await api.call('get', `/apps/${kept.body.app_id}`)).body.port).toBe(4000);
  });

  test('another branch, or another repository of that name, is another app', async () => {
    const main = await quick({ repo: 'acme/twin' });
    const branch = await quick({ repo: 'acme/twin', branch: 'Next/Big' });
    const other = await quick({ repo: 'other/twin' });
    const names = await Promise.all(
      [main, branch, other].map(
        async ({ body }) => (await api.call('get', `/apps/${body.app_id}`)).body.name,
      ),
    );
    expect(names).toEqual(['twin', 'twin-next-big', 'twin-2']);
  });

  test('two at once make one app and two deployments', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => quick({ repo: 'acme/at-once' })));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ body }) => body.app_id)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.deployment_id)).size).toBe(3);
  });

  test.each([
    [{}, '/repo'],
    [{ repo: 'acme' }, '/repo'],
    [{ repo: 'https://10.0.0.1/a/b' }, '/repo'],
    [{ repo: 'acme/shop', port: 70_000 }, '/port'],
    [{ repo: 'acme/shop', name: 'x' }, '/name'],
  ])('%j is refused', async (body, field) => {
    const answer = await quick(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ field }]);
  });
});

describe('reading deployments', () => {
  test('A3: a failed one tells its code, its sentence, what to do, the exit code and the last lines', async () => {
    const appId = await makeApp('failed');
    const { id } = (await deploy(appId)).body;
    await api.prisma.deployment.update({
      where: { id },
      data: {
        status: 'failed',
        failureCode: 'exited_early',
        failureReason: 'The process ended with exit code 1.',
        exitCode: 1,
        outOfMemory: false,
        logTail: ['boom'],
        finishedAt: new Date(),
      },
    });
    await api.prisma.stepRun.create({
      data: {
        deploymentId: id,
        attempt: 1,
        step: 'cloning',
        startedAt: new Date('2026-01-01T00:00:00Z'),
        endedAt: new Date('2026-01-01T00:00:01.5Z'),
      },
    });
    expect((await api.call('get', `/deployments/${id}`)).body).toMatchObject({
      status: 'failed',
      failure_code: 'exited_early',
      failure_reason: 'The process ended with exit code 1.',
      failure_advice: expect.stringMatching(/\.$/),
      exit_code: 1,
      out_of_memory: false,
      log_tail: ['boom'],
      url: null,
      queue_position: null,
      waiting_for: null,
      steps: [
        {
          step: 'cloning',
          attempt: 1,
          started_at: '2026-01-01T00:00:00.000Z',
          ended_at: '2026-01-01T00:00:01.500Z',
          seconds: 1.5,
        },
      ],
    });
  });

  test('T57: neither the sealed settings nor the queue innards are shown', async () => {
    const { body } = await deploy(await makeApp('sealed'));
    expect(JSON.stringify(body)).not.toMatch(/snapshot|lease|fence/i);
  });

  test('the list of an app is newest first, in pages', async () => {
    const appId = await makeApp('paged');
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) ids.unshift((await deploy(appId)).body.id);
    const first = (await api.call('get', `/apps/${appId}/deployments?limit=2`)).body;
    const second = (await api.call('get', `/apps/${appId}/deployments?limit=2&cursor=${first.next_cursor}`))
      .body;
    expect([...first.items, ...second.items].map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(second.next_cursor).toBeNull();
    expect((await api.call('get', `/apps/${appId}/deployments?cursor=WzFd`)).status).toBe(400);
  });

  describe('over all apps', () => {
    let ids: string[];
    let apps: string[];
    const idsOf = async (query: string): Promise<string[]> => {
      const answer = await api.call('get', `/deployments?${query}`);
      expect([query, answer.status]).toEqual([query, 200]);
      return answer.body.items.map(({ id }: { id: string }) => id);
    };
    beforeAll(async () => {
      apps = [await makeApp('history-a'), await makeApp('history-b')];
      const [a = '', b = ''] = apps;
      ids = [];
      for (const [appId, branch] of [
        [a, 'main'],
        [b, 'main'],
        [a, 'odd/one'],
        [b, 'odd/one'],
      ] as const) {
        ids.push((await deploy(appId, { branch })).body.id);
      }
      await api.prisma.deployment.update({ where: { id: ids[0] ?? '' }, data: { status: 'cancelled' } });
      await api.prisma.deployment.update({ where: { id: ids[1] ?? '' }, data: { trigger: 'rollback' } });
    });
    const pick = (...places: number[]) => places.map((place) => ids[place]);

    test('newest first, in pages without gap or double', async () => {
      expect((await idsOf('limit=4')).slice(0, 4)).toEqual(pick(3, 2, 1, 0));
      const first = (await api.call('get', '/deployments?limit=3')).body;
      expect((await idsOf(`limit=1&cursor=${first.next_cursor}`))[0]).toBe(ids[0]);
    });

    test('of one app, by its id or its name', async () => {
      expect(await idsOf(`app=${apps[0]}`)).toEqual(pick(2, 0));
      expect(await idsOf('app=history-b')).toEqual(pick(3, 1));
      expect(await idsOf('app=no-such-app')).toEqual([]);
    });

    test('by status, trigger and branch, and by all of them together', async () => {
      expect(await idsOf('app=history-a&status=cancelled')).toEqual(pick(0));
      expect(await idsOf('app=history-a&status=cancelled,pending')).toEqual(pick(2, 0));
      expect(await idsOf('trigger=rollback')).toEqual(pick(1));
      expect(await idsOf('branch=odd/one')).toEqual(pick(3, 2));
      expect(await idsOf('branch=odd/one&app=history-a&trigger=manual&status=pending')).toEqual(pick(2));
      expect(await idsOf('branch=odd/one&status=live')).toEqual([]);
    });

    test('the list of one app takes the same filters', async () => {
      const { body } = await api.call('get', `/apps/${apps[0]}/deployments?branch=main&status=cancelled`);
      expect(body.items.map(({ id }: { id: string }) => id)).toEqual(pick(0));
    });

    test.each([
      ['status=done', 'status.0'],
      ['status=', 'status.0'],
      ['status=live&status=failed', 'status'],
      ['trigger=push,cron', 'trigger.1'],
      ['branch=', 'branch'],
      ['project=x', 'project'],
    ])('%s is refused', async (query, field) => {
      const answer = await api.call('get', `/deployments?${query}`);
      expect([answer.status, answer.body.errors]).toEqual([400, [{ field, message: expect.any(String) }]]);
    });
  });

  test('build_logs is the end of its lines, whole ones, and says when some lack', async () => {
    const { id } = (await deploy(await makeApp('lines'))).body;
    const line = (seq: number, text: string, source: 'build' | 'deploy' | 'status' = 'build') => ({
      streamId: id,
      seq: BigInt(seq),
      source,
      level: 'info' as const,
      text,
    });
    await api.prisma.logLine.createMany({
      data: [line(101, 'Step 1'), line(102, '{}', 'status'), line(103, 'ready', 'deploy')],
    });
    const logs = async () => (await api.call('get', `/deployments/${id}`)).body.build_logs as string;
    expect(await logs()).toBe('Step 1\nready\n');

    await api.prisma.logLine.createMany({
      data: Array.from({ length: 100 }, (_, index) => line(200 + index, `${index} ${'ü'.repeat(1_000)}`)),
    });
    const text = await logs();
    expect(Buffer.byteLength(text)).toBeLessThan(65 * 1024);
    expect(text.startsWith('[earlier lines: see /logs]\n')).toBe(true);
    expect(text.endsWith(`99 ${'ü'.repeat(1_000)}\n`)).toBe(true);
  });

  test('T41: foreign and missing ones answer alike, also to cancelling', async () => {
    const appId = await makeApp('theirs');
    const { id } = (await deploy(appId)).body;
    await api.prisma.user.create({ data: { id: 'stranger22', hash: 'strang', name: 'x' } });
    await api.prisma.project.create({
      data: { id: 'projectxxx', userId: 'stranger22', name: 'default', networkName: 'strang-default' },
    });
    await api.prisma.app.update({ where: { id: appId }, data: { projectId: 'projectxxx' } });
    expect((await api.call('get', '/deployments?app=theirs')).body.items).toEqual([]);
    for (const [method, path] of [
      ['get', ''],
      ['post', '/cancel'],
    ] as const) {
      const foreign = await api.call(method, `/deployments/${id}${path}`);
      const missing = await api.call(method, `/deployments/zzzzzzzzzz${path}`);
      expect([foreign.status, missing.status]).toEqual([404, 404]);
      expect(foreign.body.detail).toBe(missing.body.detail);
    }
    expect((await api.prisma.deployment.findUniqueOrThrow({ where: { id } })).status).toBe('pending');
  });
});

describe('cancelling', () => {
  test('a waiting one is cancelled at once; again, it stays so', async () => {
    const { id } = (await deploy(await makeApp('cancel'))).body;
    const answer = await api.call('post', `/deployments/${id}/cancel`);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: 'cancelled', cancel_requested: true });
    expect((await api.call('post', `/deployments/${id}/cancel`)).status).toBe(202);
  });

  test('one that switches is not cancellable any more', async () => {
    const { id } = (await deploy(await makeApp('late'))).body;
    await api.prisma.deployment.update({ where: { id }, data: { status: 'deploying', step: 'switching' } });
    const answer = await api.call('post', `/deployments/${id}/cancel`);
    expect(answer.status).toBe(409);
    expect(answer.body.code).toBe('not_cancellable');
    expect(await api.prisma.auditEvent.count({ where: { objectId: id, action: 'deployment.cancel' } })).toBe(
      0,
    );
  });
});

test('A19: each change leaves its audit rows', async () => {
  const auditOf = async (objectId: string) =>
    (await api.prisma.auditEvent.findMany({ where: { objectId }, orderBy: { id: 'asc' } })).map(
      ({ action, detail }) => ({ action, detail }),
    );
  const { id } = (await deploy(await makeApp('audit'), { branch: 'next' })).body;
  await api.call('post', `/deployments/${id}/cancel`);
  await api.call('delete', `/deployments/${id}/logs`);
  expect(await auditOf(id)).toMatchObject([
    { action: 'deployment.request', detail: { branch: 'next' } },
    { action: 'deployment.cancel' },
    { action: 'deployment.clear_logs' },
  ]);

  const quick = (await api.call('post', '/deployments').send({ repo: 'acme/audited', port: 81 })).body;
  expect(await auditOf(quick.app_id)).toMatchObject([{ action: 'app.create', detail: { port: 81 } }]);
  expect(await auditOf(quick.deployment_id)).toMatchObject([
    { action: 'deployment.request', detail: { app_id: quick.app_id } },
  ]);
});
