import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const REPO = 'https://github.com/acme/shop';
const create = (body: object) => api.call('post', '/apps').send(body);

describe('creating an app', () => {
  test('answers 201 with the app, its URLs, and its first deployment waiting', async () => {
    const answer = await create({ name: 'first', repo_url: REPO, branch: 'main', port: 3000 });

    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toBe(`/api/v1/apps/${answer.body.id}`);
    expect(answer.body).toMatchObject({
      name: 'first',
      project: 'default',
      status: 'deploying',
      url: 'http://first.apps.test:8000',
      internal_url: 'http://first:3000',
      hosts: ['first.apps.test'],
      live_deployment_id: null,
      pending_changes: [],
      root_directory: '.',
      replicas: 1,
      memory_mb: 512,
      drain_seconds: 10,
    });
    const [deployment] = await api.prisma.deployment.findMany({ where: { appId: answer.body.id } });
    expect(deployment).toMatchObject({ status: 'pending', trigger: 'created', branch: 'main' });
    expect(answer.body.latest_deployment).toEqual({ id: deployment?.id, status: 'pending' });
  });
});
