import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { answerPlan, claimPlan } from './plan-store.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

test('a plan is asked for, answered by a worker, and read', async () => {
  const asked = await api.call('post', '/plans').send({ github_url: 'acme/shop', app_type: 'node' });
  expect(asked.status).toBe(202);
  expect(asked.headers['location']).toBe(`/api/v1/plans/${asked.body.id}`);
  expect(asked.body).toMatchObject({
    status: 'pending',
    repo_url: 'https://github.com/acme/shop',
    root_directory: '.',
    result: null,
  });
  const claim = await claimPlan(api.prisma, { id: 'worker', leaseSeconds: 30 });
  expect(claim).toMatchObject({ id: asked.body.id, framework: 'node' });
  const result = {
    framework: 'node',
    commit_sha: 'a'.repeat(40),
    branch: 'main',
    why: 'because',
    build_command: null,
    start_command: 'node .',
    port: null,
    dockerfile: 'FROM x\n',
  };
  await answerPlan(api.prisma, { id: asked.body.id, workerId: 'another' }, { status: 'done', result: {} });
  await answerPlan(api.prisma, { id: asked.body.id, workerId: 'worker' }, { status: 'done', result });
  const { body } = await api.call('get', `/plans/${asked.body.id}`);
  expect(body).toMatchObject({ status: 'done', result, finished_at: expect.any(String) });
});

test('T02: what would be an argument, or another host, is refused before any worker sees it', async () => {
  for (const body of [
    { repo_url: 'ext::sh -c id' },
    { repo_url: 'acme/shop', branch: '--upload-pack=x' },
    { repo_url: 'acme/shop', root_directory: '../..' },
    { repo_url: 'acme/shop', framework: 'cobol' },
  ]) {
    expect((await api.call('post', '/plans').send(body)).status).toBe(400);
  }
  expect((await api.call('get', '/plans/p234567abc')).status).toBe(404);
});
