import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const REPO = 'https://github.com/acme/shop';
const create = (body: object) => api.call('post', '/apps').send(body);
const createIdle = async (name: string, more: object = {}) =>
  (await create({ name, repo_url: REPO, deploy: false, ...more })).body as { id: string };

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

  test('with deploy: false it queues nothing and is idle', async () => {
    const answer = await create({ name: 'quiet', repo_url: REPO, deploy: false });
    expect(answer.body).toMatchObject({ status: 'idle', latest_deployment: null });
    expect(await api.prisma.deployment.count({ where: { appId: answer.body.id } })).toBe(0);
  });

  test('takes every setting, and other spellings of their names', async () => {
    const answer = await create({
      name: 'full',
      github_url: 'acme/shop.git',
      internal_port: 8080,
      buildCommand: 'npm run build',
      startCommand: 'node server.js',
      dockerfilePath: 'deploy/Dockerfile',
      root_directory: 'apps/web',
      health_check_path: '/health?full=1',
      replicas: 2,
      memory_mb: 256,
      cpus: 0.5,
      drain_seconds: 0,
      auto_deploy: false,
      watch_paths: ['apps/web', '!**/*.md'],
      deploy: false,
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      repo_url: 'https://github.com/acme/shop.git',
      port: 8080,
      build_command: 'npm run build',
      start_command: 'node server.js',
      dockerfile_path: 'deploy/Dockerfile',
      root_directory: 'apps/web',
      health_check_path: '/health?full=1',
      replicas: 2,
      memory_mb: 256,
      cpus: 0.5,
      drain_seconds: 0,
      auto_deploy: false,
      watch_paths: ['apps/web', '!**/*.md'],
    });
  });

  test('a field and its alias together are refused, not guessed', async () => {
    const answer = await create({ name: 'both', repo_url: REPO, repoUrl: 'acme/other' });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([{ field: '/repoUrl', message: 'is not a known field' }]);
  });

  test('A17: a taken name answers 409 and keeps nothing', async () => {
    await createIdle('taken');
    const answer = await create({ name: 'taken', repo_url: REPO });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({
      code: 'name_taken',
      errors: [{ field: '/name', message: 'is taken' }],
    });
    expect(await api.prisma.app.count({ where: { name: 'taken' } })).toBe(1);
  });

  test('T28: of two at once for one name, one is made', async () => {
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((branch) => create({ name: 'race', repo_url: REPO, branch })),
    );
    expect(answers.map(({ body }) => body.code ?? 'made').toSorted((a, b) => a.localeCompare(b))).toEqual([
      'made',
      'name_taken',
      'name_taken',
      'name_taken',
    ]);
  });

  test('a host that another app has gives the next one', async () => {
    const other = await createIdle('other');
    await api.prisma.host.create({
      data: { host: 'wanted.apps.test', appId: other.id, kind: 'custom' },
    });
    const { hash } = await api.prisma.user.findFirstOrThrow();
    const answer = await create({ name: 'wanted', repo_url: REPO, deploy: false });
    expect(answer.body.hosts).toEqual([`${hash}-wanted.apps.test`]);
    expect(answer.body.url).toBe(`http://${hash}-wanted.apps.test:8000`);
  });
});

describe('bad input names its field and makes nothing', () => {
  const long = 'a'.repeat(100_000);
  test.each<[string, string, object]>([
    ['no name', '/name', { name: undefined }],
    ['a name with capitals', '/name', { name: 'Shop' }],
    ['a name that begins with a dash', '/name', { name: '-shop' }],
    ['a name that ends with a dash', '/name', { name: 'shop-' }],
    ['a name with a dot', '/name', { name: 'a.b' }],
    ['a name of 41 characters', '/name', { name: 'a'.repeat(41) }],
    ['an empty name', '/name', { name: '' }],
    ['the name of the proxy (T35)', '/name', { name: 'traefik' }],
    ['the name of the database (T35)', '/name', { name: 'postgres' }],
    ['the name of the machine itself (T35)', '/name', { name: 'localhost' }],
    ['the name of the metadata service (T35)', '/name', { name: 'metadata' }],
    ['the name of the API (T28)', '/name', { name: 'api' }],
    ['a name that closes a rule (T26)', '/name', { name: 'a`) || PathPrefix(`/' }],
    ['a name in SQL (T56)', '/name', { name: "'); drop table services; --" }],
    ['a number as a name', '/name', { name: 7 }],
    ['no repository', '/repo_url', { repo_url: undefined }],
    ['an ext:: URL (T03)', '/repo_url', { repo_url: 'ext::sh -c id' }],
    ['a file URL (T04)', '/repo_url', { repo_url: 'file:///etc' }],
    ['a path (T04)', '/repo_url', { repo_url: '/var/lib/berth' }],
    ['an ssh URL', '/repo_url', { repo_url: 'ssh://git@github.com/a/b' }],
    ['plain http', '/repo_url', { repo_url: 'http://github.com/a/b' }],
    ['a loopback address (T05)', '/repo_url', { repo_url: 'https://127.0.0.1/x' }],
    ['a loopback address in disguise (T05)', '/repo_url', { repo_url: 'https://2130706433/x' }],
    ['the metadata address (T05)', '/repo_url', { repo_url: 'https://169.254.169.254/x' }],
    ['a host that is not allowed', '/repo_url', { repo_url: 'https://example.org/a/b' }],
    ['a token in the URL', '/repo_url', { repo_url: 'https://me:secret@github.com/a/b' }],
    ['a branch that reads as an option (T02)', '/branch', { branch: '--upload-pack=touch /tmp/p' }],
    ['a branch with a shell command (T01)', '/branch', { branch: 'main; touch /tmp/pwn' }],
    ['port 0', '/port', { port: 0 }],
    ['port 65536', '/port', { port: 65_536 }],
    ['a port as text (T58)', '/port', { port: '3000' }],
    ['half a port', '/port', { port: 80.5 }],
    ['a Dockerfile above the repository (T13)', '/dockerfile_path', { dockerfile_path: '../../etc/passwd' }],
    ['an absolute Dockerfile (T13)', '/dockerfile_path', { dockerfile_path: '/etc/passwd' }],
    ['a Dockerfile with NUL (T13)', '/dockerfile_path', { dockerfile_path: 'Dockerfile\0' }],
    ['a root directory above the repository', '/root_directory', { root_directory: 'a/../../b' }],
    ['a health path without slash', '/health_check_path', { health_check_path: 'health' }],
    ['a health path to another host', '/health_check_path', { health_check_path: '//evil.example/' }],
    ['a health path with ..', '/health_check_path', { health_check_path: '/a/../b' }],
    ['a health path with a line end', '/health_check_path', { health_check_path: '/a\r\nHost: b' }],
    ['a command of two lines', '/start_command', { start_command: 'a\nb' }],
    ['no replicas', '/replicas', { replicas: 0 }],
    ['too little memory', '/memory_mb', { memory_mb: 1 }],
    ['infinite cpus', '/cpus', { cpus: Infinity }],
    ['a negative drain', '/drain_seconds', { drain_seconds: -1 }],
    ['a watch path above the repository', '/watch_paths/1', { watch_paths: ['ok', '../etc'] }],
    ['a watch path with open brackets', '/watch_paths/0', { watch_paths: ['[a-'] }],
    ['too many watch paths', '/watch_paths', { watch_paths: Array.from({ length: 21 }, () => 'a') }],
    ['one watch path as a text', '/watch_paths', { watch_paths: 'apps/web' }],
    ['a word for auto-deploy', '/auto_deploy', { auto_deploy: 'off' }],
    ['an unknown field (T44)', '/owner_id', { owner_id: 'x' }],
    ['a field of ours (T44)', '/status', { status: 'active' }],
    ['a word for yes', '/deploy', { deploy: 'yes' }],
    ['a name of 100 000 characters (T60)', '/name', { name: long }],
    ['a branch of 100 000 characters (T60)', '/branch', { branch: long }],
    ['a repository of 100 000 characters (T60)', '/repo_url', { repo_url: `https://github.com/${long}` }],
    ['a path of 100 000 characters (T60)', '/root_directory', { root_directory: `${long}/` }],
  ])('%s', async (_what, field, wrong) => {
    const before = performance.now();
    const answer = await create({ name: 'wrong', repo_url: REPO, ...wrong });
    // A regular expression that runs away takes far longer for the long ones.
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'invalid_input', status: 400 });
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect(await api.prisma.app.count({ where: { name: 'wrong' } })).toBe(0);
  });

  test('T58: __proto__ is an unknown field like any other', async () => {
    const answer = await api
      .call('post', '/apps')
      .type('json')
      .send(`{"name":"wrong","repo_url":"${REPO}","__proto__":{"polluted":true},"constructor":{}}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toEqual([
      '/__proto__',
      '/constructor',
    ]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('all wrong fields are named at once, but no more than twenty', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1]));
    const answer = await create({ name: 'UP', port: 0, repo_url: 'nope', ...many });
    expect(answer.body.errors).toHaveLength(20);
    expect(answer.body.errors.slice(0, 3).map((error: { field: string }) => error.field)).toEqual([
      '/name',
      '/repo_url',
      '/port',
    ]);
  });

  test.each([['[]'], ['"text"'], ['7'], ['null']])('a body that is %s', async (body) => {
    const answer = await api.call('post', '/apps').type('json').send(body);
    expect(answer.status).toBe(400);
  });
});

describe('reading apps', () => {
  test('one app, under both words', async () => {
    const { id } = await createIdle('read');
    const answer = await api.call('get', `/apps/${id}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id, name: 'read' });
    expect((await api.call('get', `/services/${id}`)).body).toEqual(answer.body);
  });

  test('pages join to the whole list, newest first, without gap or double', async () => {
    for (let index = 0; index < 5; index += 1) await createIdle(`page-${index}`);
    const whole = (await api.call('get', '/apps?limit=200')).body.items as { id: string }[];
    const paged: { id: string }[] = [];
    let cursor: string | null = '';
    do {
      const page: { items: { id: string }[]; next_cursor: string | null } = (
        await api.call('get', `/apps?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
      ).body;
      expect(page.items.length).toBeLessThanOrEqual(2);
      paged.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    expect(paged.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
    expect(whole.slice(0, 5)).toMatchObject([4, 3, 2, 1, 0].map((index) => ({ name: `page-${index}` })));
  });

  test('a list by name', async () => {
    await createIdle('by-name');
    const { items } = (await api.call('get', '/apps?name=by-name')).body;
    expect(items).toMatchObject([{ name: 'by-name' }]);
  });

  test.each([
    ['limit=0'],
    ['limit=201'],
    ['limit=many'],
    ['limit=1&limit=2'],
    ['cursor=nonsense'],
    ['cursor=WyJ4IiwieSJd'],
    ['id[]=a'],
    ['id[x]=1'],
    ['sort=name'],
    ['__proto__[x]=1'],
  ])('T58: the query %s is refused', async (query) => {
    const answer = await api.call('get', `/apps?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_input');
    expect(answer.body.errors).toHaveLength(1);
  });

  test('the status follows its deployments', async () => {
    const { id } = await createIdle('states');
    const status = async () => (await api.call('get', `/apps/${id}`)).body.status;
    const deploymentId = (await api.call('post', `/apps/${id}/deploy`).send({})).body.id;
    expect(await status()).toBe('deploying');
    const set = (to: 'failed' | 'crashed' | 'live') =>
      api.prisma.deployment.update({
        where: { id: deploymentId },
        data: { status: to, failureCode: 'exited_early', failureReason: 'It ended.' },
      });
    await set('failed');
    expect(await status()).toBe('failed');
    await set('crashed');
    expect(await status()).toBe('crashed');
    await set('live');
    await api.prisma.app.update({ where: { id }, data: { liveDeploymentId: deploymentId } });
    expect(await status()).toBe('active');
    await api.prisma.app.update({ where: { id }, data: { desiredState: 'stopped' } });
    expect(await status()).toBe('stopped');
  });
});

describe('changing an app', () => {
  test('changes what is given, and names what the live release does not have yet', async () => {
    const { id } = await createIdle('change', { port: 3000 });
    const deploymentId = (await api.call('post', `/apps/${id}/deploy`).send({})).body.id;
    await api.prisma.deployment.update({ where: { id: deploymentId }, data: { status: 'live' } });
    await api.prisma.app.update({ where: { id }, data: { liveDeploymentId: deploymentId } });

    const answer = await api.call('patch', `/apps/${id}`).send({ port: 4000, health_check_path: '/up' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ port: 4000, health_check_path: '/up', repo_url: REPO });
    expect(answer.body.pending_changes.toSorted()).toEqual(['health_check_path', 'port']);
  });

  test('null takes a setting back', async () => {
    const { id } = await createIdle('back', { port: 3000, branch: 'main' });
    const answer = await api.call('patch', `/apps/${id}`).send({ port: null, branch: null });
    expect(answer.body).toMatchObject({ port: null, branch: null });
  });

  test.each([
    [{ name: 'renamed' }],
    [{ id: 'aaaaaaaaaa' }],
    [{ status: 'active' }],
    [{ live_deployment_id: null }],
    [{ created_at: '2026-01-01T00:00:00Z' }],
    [{ hosts: [] }],
    [{ project_id: 'aaaaaaaaaa' }],
    [{ repo_url: null }],
    [{ port: 99_999 }],
  ])('T44: %j is refused and the row stays', async (change) => {
    const { id } = await createIdle(`keep-${Math.random().toString(36).slice(2, 8)}`);
    const before = await api.prisma.app.findUniqueOrThrow({ where: { id } });
    expect((await api.call('patch', `/apps/${id}`).send(change)).status).toBe(400);
    expect(await api.prisma.app.findUniqueOrThrow({ where: { id } })).toEqual(before);
  });
});

describe('deleting an app', () => {
  test('answers 202; until a worker has done it the app shows, and takes no changes or deployments', async () => {
    const { id } = await createIdle('gone');
    const answer = await api.call('delete', `/apps/${id}`);
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ id, status: 'deleting' });

    expect((await api.call('get', `/apps/${id}`)).body.status).toBe('deleting');
    const { deletingSince } = await api.prisma.app.findUniqueOrThrow({ where: { id } });
    expect((await api.call('delete', `/apps/${id}`)).status).toBe(202);
    expect((await api.prisma.app.findUniqueOrThrow({ where: { id } })).deletingSince).toEqual(deletingSince);
    for (const refused of [
      await api.call('patch', `/apps/${id}`).send({ port: 1 }),
      await api.call('post', `/apps/${id}/deploy`).send({}),
    ]) {
      expect(refused.status).toBe(409);
      expect(refused.body.code).toBe('app_deleting');
    }
    expect((await create({ name: 'gone', repo_url: REPO })).body.detail).toMatch('still being deleted');
  });
});

test('A19: every change leaves one audit row, in the same transaction', async () => {
  const { id } = await createIdle('audited');
  await api.call('patch', `/apps/${id}`).set('X-Request-Id', 'my-request').send({ port: 81 });
  await api.call('patch', `/apps/${id}`).send({ port: 0 });
  await api.call('delete', `/apps/${id}`);
  const rows = await api.prisma.auditEvent.findMany({ where: { objectId: id }, orderBy: { id: 'asc' } });
  const owner = await api.prisma.user.findFirstOrThrow();
  expect(rows).toMatchObject([
    { action: 'app.create', object: 'app', detail: { name: 'audited', repo_url: REPO, deploy: false } },
    { action: 'app.change', requestId: 'my-request', detail: { port: [null, 81] } },
    { action: 'app.delete', userId: owner.id, detail: {} },
  ]);
  expect(rows[0]?.address).toMatch(/127\.0\.0\.1$/);
});

test('T41: an app of somebody else answers as one that is missing, to every method', async () => {
  const { id } = await createIdle('foreign');
  const stranger = await api.prisma.user.create({ data: { id: 'stranger22', hash: 'strang', name: 'x' } });
  const project = await api.prisma.project.create({
    data: { id: 'projectxxx', userId: stranger.id, name: 'default', networkName: 'strang-default' },
  });
  await api.prisma.app.update({ where: { id }, data: { projectId: project.id } });
  const row = await api.prisma.app.findUniqueOrThrow({ where: { id } });

  for (const [method, path, body] of [
    ['get', '', undefined],
    ['patch', '', { port: 1 }],
    ['delete', '', undefined],
    ['post', '/deploy', {}],
    ['get', '/deployments', undefined],
  ] as const) {
    const foreign = await api.call(method, `/apps/${id}${path}`).send(body);
    const missing = await api.call(method, `/apps/zzzzzzzzzz${path}`).send(body);
    const odd = await api.call(method, `/apps/..%2f${path}`).send(body);
    expect([foreign.status, missing.status, odd.status]).toEqual([404, 404, 404]);
    expect({ ...foreign.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
  }
  expect((await api.call('get', '/apps?name=foreign')).body.items).toEqual([]);
  expect(await api.prisma.app.findUniqueOrThrow({ where: { id } })).toEqual(row);
});
