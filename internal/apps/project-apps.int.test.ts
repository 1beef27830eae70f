import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { openSnapshot } from '../deployments/config-snapshot.ts';
import { readEnvironment } from '../envvars/env-var-store.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const REPO = 'https://github.com/acme/shop';
const newProject = async (name: string) =>
  (await api.call('post', '/projects').send({ name })).body as { id: string };
const environmentOf = async (appId: string) =>
  (await readEnvironment(api.prisma, api.needs.box, appId)).map(({ key, value, scope }) => [
    key,
    value,
    scope,
  ]);

describe('an app of a project', () => {
  test('is made in it, and waits to be deployed unless the request says so', async () => {
    const { id } = await newProject('waiting');
    const quiet = await api.call('post', `/projects/${id}/apps`).send({ name: 'quiet', repo_url: REPO });
    expect(quiet.status).toBe(201);
    expect(quiet.headers['location']).toBe(`/api/v1/apps/${quiet.body.id}`);
    expect(quiet.body).toMatchObject({ project: 'waiting', project_id: id, status: 'idle' });
    const eager = await api
      .call('post', `/projects/${id}/services`)
      .send({ name: 'eager', repo_url: REPO, deploy: true });
    expect(eager.body).toMatchObject({ project_id: id, latest_deployment: { status: 'pending' } });
    expect((await api.call('get', `/projects/${id}`)).body.apps_count).toBe(2);
  });

  test('is made by POST /apps with the id of the project, too, and deployed', async () => {
    const { id } = await newProject('named');
    for (const [name, field] of [
      ['one', 'project_id'],
      ['two', 'projectId'],
    ] as const) {
      const answer = await api.call('post', '/apps').send({ name, repo_url: REPO, [field]: id });
      expect(answer.body).toMatchObject({ project_id: id, latest_deployment: { status: 'pending' } });
    }
  });

  test('is made by POST /deployments with the id of the project, and found there again', async () => {
    const { id } = await newProject('quick');
    const repo = 'acme/quick';
    const deploy = async (more: object) =>
      (await api.call('post', '/deployments').send({ repo, ...more })).body.app_id as string;
    const inProject = await deploy({ project_id: id });
    expect((await api.call('get', `/apps/${inProject}`)).body.project_id).toBe(id);
    expect(await deploy({ project_id: id })).toBe(inProject);
    expect(await deploy({})).not.toBe(inProject);
  });

  test('may have the name of one of another project, and gets another host', async () => {
    const { hash } = await api.prisma.user.findFirstOrThrow();
    const hosts = [];
    for (const project of ['one', 'two', 'three']) {
      const { id } = await newProject(project);
      const answer = await api.call('post', `/projects/${id}/apps`).send({ name: 'web', repo_url: REPO });
      hosts.push(...answer.body.hosts);
    }
    expect(hosts).toEqual(['web.apps.test', `${hash}-web.apps.test`, `${hash}-three-web.apps.test`]);
  });

  test('T28: may be called like a host of a deployment, and does not get that host', async () => {
    const other = await addUser(api.prisma);
    const shop = (await api.call('post', '/apps').send({ name: 'shop', repo_url: REPO })).body;
    const name = `shop-${shop.latest_deployment.id}`;
    const answer = await callAs(api.app, other)('post', '/apps').send({ name, repo_url: REPO });
    expect(answer.body.hosts).toEqual([`${other.hash}-${name}.apps.test`]);
    const likewise = await api.call('post', '/apps').send({ name: 'shop-production', repo_url: REPO });
    expect(likewise.body.hosts).toEqual(['shop-production.apps.test']);
  });

  test('is listed there, under both words, and by a filter', async () => {
    const { id } = await newProject('listed');
    for (const name of ['list-a', 'list-b', 'list-c']) {
      await api.call('post', `/projects/${id}/apps`).send({ name, repo_url: REPO });
    }
    const { items } = (await api.call('get', `/projects/${id}/apps`)).body;
    expect(items).toMatchObject([{ name: 'list-c' }, { name: 'list-b' }, { name: 'list-a' }]);
    for (const path of [`/projects/${id}/services`, `/apps?project_id=${id}`, `/services?project_id=${id}`]) {
      expect((await api.call('get', path)).body.items).toEqual(items);
    }
    const page = (await api.call('get', `/projects/${id}/apps?limit=2`)).body;
    expect(page.items).toEqual(items.slice(0, 2));
    const rest = (await api.call('get', `/projects/${id}/apps?cursor=${page.next_cursor}`)).body;
    expect(rest).toEqual({ items: items.slice(2), next_cursor: null });
    const one = await api.call('get', `/apps?project_id=${id}&name=list-b`);
    expect(one.body.items).toEqual([items[1]]);
    expect((await api.call('get', '/apps?project_id=x')).status).toBe(400);
  });
});

describe('the environment of a new app', () => {
  test('is an object of key and value', async () => {
    const answer = await api
      .call('post', '/apps')
      .send({ name: 'with-object', repo_url: REPO, env: { B: 'two\nlines', A: 'ü=1', EMPTY: '' } });
    expect(answer.status).toBe(201);
    expect(await environmentOf(answer.body.id)).toEqual([
      ['A', 'ü=1', 'runtime'],
      ['B', 'two\nlines', 'runtime'],
      ['EMPTY', '', 'runtime'],
    ]);
  });

  test('or a list that says the scopes', async () => {
    const { id } = await newProject('scoped');
    const env = [
      { key: 'TOKEN', value: 't0psecret', scope: 'build' },
      { key: 'PLAIN', value: 'p' },
      { key: 'WIDE', value: 'w', scope: 'both' },
    ];
    const answer = await api
      .call('post', `/projects/${id}/apps`)
      .send({ name: 'with-list', repo_url: REPO, env });
    expect(await environmentOf(answer.body.id)).toEqual([
      ['PLAIN', 'p', 'runtime'],
      ['TOKEN', 't0psecret', 'build'],
      ['WIDE', 'w', 'both'],
    ]);
  });

  test('T57: stands in no answer and no audit row; its names do', async () => {
    const answer = await api
      .call('post', '/apps')
      .send({ name: 'secretive', repo_url: REPO, env: { PASSWORD: 'canary-41' } });
    expect(answer.text).not.toContain('canary-41');
    const rows = await api.prisma.auditEvent.findMany({ where: { objectId: answer.body.id } });
    expect(rows).toMatchObject([{ action: 'app.create', detail: { env: ['PASSWORD'] } }]);
    expect(JSON.stringify(rows.map(({ detail }) => detail))).not.toContain('canary-41');
  });

  test('is in the first deployment', async () => {
    const answer = await api
      .call('post', '/apps')
      .send({ name: 'first-release', repo_url: REPO, env: { GREETING: 'hello' } });
    const { id, configSnapshot } = await api.prisma.deployment.findUniqueOrThrow({
      where: { id: answer.body.latest_deployment.id },
    });
    expect(JSON.stringify(openSnapshot(api.needs.box, id, configSnapshot))).toMatch(/"GREETING".*"hello"/);
  });

  test.each<[string, string, unknown]>([
    ['a key that is none', '/env/1A', { '1A': 'x' }],
    ['a value that is no text', '/env/A', { A: 1 }],
    ['a nested object', '/env/A', { A: { B: 'x' } }],
    ['a text', '/env', 'A=1'],
    ['a list of texts', '/env/0', ['A=1']],
    ['an unknown scope', '/env/0/scope', [{ key: 'A', value: 'x', scope: 'all' }]],
    ['an unknown field (T44)', '/env/0/app_id', [{ key: 'A', value: 'x', app_id: 'aaaaaaaaaa' }]],
    ['a value with NUL', '/env/A', { A: 'a\0b' }],
    ['a value of 100 000 characters (T60)', '/env/A', { A: 'x'.repeat(100_000) }],
  ])('%s is refused at %s, and no app is made', async (_what, field, env) => {
    const answer = await api.call('post', '/apps').send({ name: 'unusable', repo_url: REPO, env });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_input']);
    expect(answer.body.errors).toMatchObject([{ field }]);
    expect(await api.prisma.app.count({ where: { name: 'unusable' } })).toBe(0);
  });
});
