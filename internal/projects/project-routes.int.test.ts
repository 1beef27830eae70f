import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AnotherUser, addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';

let api: ApiUnderTest;
let other: AnotherUser;
beforeAll(async () => {
  api = await startApi();
  other = await addUser(api.prisma);
});
afterAll(() => api?.close());

const REPO = 'https://github.com/acme/shop';
interface ProjectView {
  readonly id: string;
  readonly name: string;
  readonly network: string;
}
const create = (name: unknown) => api.call('post', '/projects').send({ name });
const created = async (name: string) => {
  const answer = await create(name);
  expect(answer.status).toBe(201);
  return answer.body as ProjectView;
};
const addApp = (id: string, name: string) =>
  api.call('post', `/projects/${id}/apps`).send({ name, repo_url: REPO });
const defaultId = async () => (await api.call('get', '/projects?name=default')).body.items[0].id as string;
/** What the worker does at the end of a deletion. */
const finishDeletion = async (id: string) => {
  await api.prisma.app.deleteMany({ where: { projectId: id } });
  await api.prisma.project.delete({ where: { id } });
};

describe('creating a project', () => {
  test('answers 201 with the project, its network and where it is', async () => {
    const { hash } = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
    const answer = await create('first');
    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toBe(`/api/v1/projects/${answer.body.id}`);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[a-z][a-z2-7]{9}$/),
      name: 'first',
      status: 'active',
      network: `${hash}-first`,
      apps_count: 0,
      deployment_limit: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await api.call('get', `/projects/${answer.body.id}`)).body).toEqual(answer.body);
  });

  test('a taken name answers 409, for its own user only', async () => {
    await created('taken');
    const again = await create('taken');
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      code: 'name_taken',
      errors: [{ field: '/name', message: 'is taken' }],
    });
    expect((await create('default')).status).toBe(409);
    const theirs = await callAs(api.app, other)('post', '/projects').send({ name: 'taken' });
    expect(theirs.body).toMatchObject({ name: 'taken', network: `${other.hash}-taken` });
  });

  test('of four at once for one name, one is made', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => create('race')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'name_taken')).toHaveLength(3);
  });

  test.each([
    ['nothing', undefined],
    ['a number', 7],
    ['an empty name', ''],
    ['capitals', 'Shop'],
    ['a digit first', '1shop'],
    ['a dash first', '-shop'],
    ['a dash last', 'shop-'],
    ['a dot', 'a.b'],
    ['a space', 'a b'],
    ['another alphabet', 'läden'],
    ['41 characters', 'a'.repeat(41)],
    ['100 000 characters (T60)', 'a'.repeat(100_000)],
    ['a rule (T26)', 'a`) || PathPrefix(`/'],
    ['a reserved name (T35)', 'traefik'],
    ['the name of another network of Docker', 'host'],
  ])('%s is no name', async (_what, name) => {
    const answer = await create(name);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_input' });
    expect(answer.body.errors[0].field).toBe('/name');
  });

  test.each(['id', 'user_id', 'network', 'subnet', 'status', 'deleting_since'])(
    'T44: the field %s is unknown',
    async (field) => {
      const answer = await api.call('post', '/projects').send({ name: 'assigned', [field]: 'aaaaaaaaaa' });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual([{ field: `/${field}`, message: 'is not a known field' }]);
      expect(await api.prisma.project.count({ where: { name: 'assigned' } })).toBe(0);
    },
  );
});

test('projects are listed newest first, page by page, and found by name', async () => {
  await created('list-a');
  await created('list-b');
  const whole = (await api.call('get', '/projects?limit=200')).body;
  expect(whole.next_cursor).toBeNull();
  expect(whole.items.slice(0, 2)).toMatchObject([{ name: 'list-b' }, { name: 'list-a' }]);
  expect(whole.items.at(-1)).toMatchObject({ name: 'default' });
  const first = (await api.call('get', '/projects?limit=1')).body;
  const second = (await api.call('get', `/projects?limit=1&cursor=${first.next_cursor}`)).body;
  expect([...first.items, ...second.items]).toEqual(whole.items.slice(0, 2));
  expect((await api.call('get', '/projects?name=list-a')).body.items).toMatchObject([{ name: 'list-a' }]);
  expect((await api.call('get', '/projects?name=none')).body.items).toEqual([]);
});

describe('renaming a project', () => {
  test('changes its name, and neither its network nor the hosts of its apps', async () => {
    const project = await created('before');
    const app = (await addApp(project.id, 'renamed')).body;
    const answer = await api.call('patch', `/projects/${project.id}`).send({ name: 'after' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ ...project, name: 'after', apps_count: 1 });
    expect((await api.call('get', `/apps/${app.id}`)).body).toMatchObject({
      project: 'after',
      hosts: app.hosts,
    });
  });

  test('frees the name, not the network: who takes the name gets another network', async () => {
    const project = await created('moved');
    await api.call('patch', `/projects/${project.id}`).send({ name: 'gone-on' });
    expect((await created('moved')).network).toBe(`${project.network}-2`);
    // A project may be called what that network is called.
    expect((await created('moved-2')).network).toBe(`${project.network}-2-2`);
  });

  test('of `default` makes another `default` when one is needed', async () => {
    const id = await defaultId();
    await api.call('patch', `/projects/${id}`).send({ name: 'main' });
    const app = await api.call('post', '/apps').send({ name: 'in-default', repo_url: REPO, deploy: false });
    expect(app.body).toMatchObject({ project: 'default' });
    expect(app.body.project_id).not.toBe(id);
  });

  test('to a taken name answers 409, to its own name nothing changes', async () => {
    const project = await created('mine');
    await created('theirs');
    const taken = await api.call('patch', `/projects/${project.id}`).send({ name: 'theirs' });
    expect([taken.status, taken.body.code]).toEqual([409, 'name_taken']);
    const same = await api.call('patch', `/projects/${project.id}`).send({ name: 'mine' });
    expect([same.status, same.body]).toEqual([200, project]);
    expect((await api.call('patch', `/projects/${project.id}`).send({})).body).toEqual(project);
  });

  test.each([
    [{ name: null }],
    [{ name: 'postgres' }],
    [{ id: 'aaaaaaaaaa' }],
    [{ user_id: 'aaaaaaaaaa' }],
    [{ network: 'x' }],
    [{ status: 'deleting' }],
    [{ created_at: '2026-01-01T00:00:00Z' }],
  ])('T44: %j is refused and the row stays', async (change) => {
    const id = await defaultId();
    const before = await api.prisma.project.findUniqueOrThrow({ where: { id } });
    expect((await api.call('patch', `/projects/${id}`).send(change)).status).toBe(400);
    expect(await api.prisma.project.findUniqueOrThrow({ where: { id } })).toEqual(before);
  });
});

describe('deleting a project', () => {
  test('answers 202; until a worker has done it, it shows and takes nothing new', async () => {
    const { id } = await created('doomed');
    const app = (await addApp(id, 'doomed-app')).body;
    const queued = (await api.call('post', `/apps/${app.id}/deploy`).send({})).body;
    const answer = await api.call('delete', `/projects/${id}`);
    expect([answer.status, answer.body]).toEqual([202, { id, status: 'deleting' }]);

    expect((await api.call('get', `/projects/${id}`)).body.status).toBe('deleting');
    expect((await api.call('get', `/apps/${app.id}`)).body.status).toBe('deleting');
    expect((await api.call('get', `/deployments/${queued.id}`)).body.status).toBe('cancelled');
    for (const refused of [
      await addApp(id, 'late'),
      await api.call('post', '/apps').send({ name: 'late', repo_url: REPO, project_id: id }),
      await api.call('post', '/deployments').send({ repo: REPO, project_id: id }),
      await api.call('patch', `/projects/${id}`).send({ name: 'alive' }),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([409, 'project_deleting']);
    }
    expect(await api.prisma.app.count({ where: { projectId: id } })).toBe(1);
    const taken = await create('doomed');
    expect(taken.body).toMatchObject({
      code: 'name_taken',
      detail: expect.stringContaining('still being deleted'),
    });

    const { deletingSince } = await api.prisma.project.findUniqueOrThrow({ where: { id } });
    expect((await api.call('delete', `/projects/${id}`)).status).toBe(202);
    expect((await api.prisma.project.findUniqueOrThrow({ where: { id } })).deletingSince).toEqual(
      deletingSince,
    );
    await finishDeletion(id);
    expect((await api.call('get', `/projects/${id}`)).status).toBe(404);
    expect((await create('doomed')).status).toBe(201);
  });

  test('no app gets in while it begins: either it is made and goes too, or it is refused', async () => {
    const { id } = await created('closing');
    const answers = await Promise.all([
      ...['a', 'b', 'c'].map((name) => addApp(id, `closing-${name}`)),
      api.call('delete', `/projects/${id}`),
      ...['d', 'e', 'f'].map((name) => addApp(id, `closing-${name}`)),
    ]);
    const made = answers.filter(({ status }) => status === 201).length;
    const apps = await api.prisma.app.findMany({ where: { projectId: id } });
    expect(apps).toHaveLength(made);
    expect(apps.filter(({ deletingSince }) => deletingSince === null)).toEqual([]);
    expect(new Set(answers.map(({ status }) => status))).toContain(202);
  });

  test('of `default` is possible; it is made again when it is next needed', async () => {
    const id = await defaultId();
    await api.call('delete', `/projects/${id}`);
    const early = await api.call('post', '/apps').send({ name: 'early', repo_url: REPO });
    expect(early.body).toMatchObject({ code: 'project_deleting' });
    await finishDeletion(id);
    const app = await api.call('post', '/apps').send({ name: 'early', repo_url: REPO, deploy: false });
    expect(app.status).toBe(201);
    expect(await defaultId()).toBe(app.body.project_id);
  });
});

describe('T41: a project of somebody else', () => {
  let theirs: ProjectView;
  beforeAll(async () => {
    const call = callAs(api.app, other);
    theirs = (await call('post', '/projects').send({ name: 'private' })).body;
    const app = { name: 'inside', repo_url: REPO, deploy: true };
    await call('post', `/projects/${theirs.id}/apps`).send(app);
  });
  const rows = async () => ({
    project: await api.prisma.project.findUniqueOrThrow({ where: { id: theirs.id } }),
    apps: await api.prisma.app.findMany({ where: { projectId: theirs.id } }),
  });

  test.each([
    ['get', '', undefined],
    ['patch', '', { name: 'stolen' }],
    ['delete', '', undefined],
    ['get', '/apps', undefined],
    ['get', '/services', undefined],
    ['post', '/apps', { name: 'intruder', repo_url: REPO }],
    ['post', '/services', { name: 'intruder', repo_url: REPO }],
  ] as const)('%s %s answers as for one that is missing, and changes nothing', async (method, path, body) => {
    const before = await rows();
    const foreign = await api.call(method, `/projects/${theirs.id}${path}`).send(body);
    const missing = await api.call(method, `/projects/zzzzzzzzzz${path}`).send(body);
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect({ ...foreign.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
    expect(await rows()).toEqual(before);
  });

  test.each([
    ['/apps', { name: 'intruder', repo_url: REPO }],
    ['/deployments', { repo: REPO }],
  ])('T43: its id in the body of POST %s answers as a missing one', async (path, body) => {
    const before = await rows();
    const foreign = await api.call('post', path).send({ ...body, project_id: theirs.id });
    const missing = await api.call('post', path).send({ ...body, project_id: 'zzzzzzzzzz' });
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect({ ...foreign.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
    expect(await rows()).toEqual(before);
  });

  test('T43: the path says which project; a body may not say another', async () => {
    const mine = await defaultId();
    const answer = await api
      .call('post', `/projects/${mine}/apps`)
      .send({ name: 'intruder', repo_url: REPO, project_id: theirs.id });
    expect(answer.body.errors).toEqual([{ field: '/project_id', message: 'is not a known field' }]);
  });

  test.each(['/apps', '/deployments'])('is an empty filter of GET %s', async (path) => {
    expect((await api.call('get', `${path}?project_id=${theirs.id}`)).body.items).toEqual([]);
    const own = await callAs(api.app, other)('get', `${path}?project_id=${theirs.id}`);
    expect(own.body.items).toHaveLength(1);
  });

  test('stands in no list', async () => {
    const { items } = (await api.call('get', '/projects?limit=200')).body;
    expect(items.map(({ id }: ProjectView) => id)).not.toContain(theirs.id);
    const own = await callAs(api.app, other)('get', '/projects');
    expect(own.body.items).toMatchObject([{ name: 'private', apps_count: 1 }, { name: 'taken' }]);
  });
});

test('A19: every change leaves an audit row, for each app that goes too', async () => {
  const { id } = await created('audited');
  const app = (await addApp(id, 'audited-app')).body;
  await api.call('patch', `/projects/${id}`).send({ name: 'audited-2' });
  await api.call('patch', `/projects/${id}`).send({ name: 'api' });
  await api.call('delete', `/projects/${id}`);
  await api.call('delete', `/projects/${id}`);
  const rowsOf = (objectId: string) =>
    api.prisma.auditEvent.findMany({ where: { objectId }, orderBy: { id: 'asc' } });
  expect(await rowsOf(id)).toMatchObject([
    { action: 'project.create', object: 'project', detail: { name: 'audited' } },
    { action: 'project.change', detail: { name: ['audited', 'audited-2'] } },
    { action: 'project.delete' },
  ]);
  expect(await rowsOf(app.id)).toMatchObject([
    { action: 'app.create', detail: { project_id: id } },
    { action: 'app.delete', object: 'app', detail: { project_id: id } },
  ]);
});

test('a project may be limited to so many deployments at a time', async () => {
  const { body: project } = await api.call('post', '/projects').send({ name: 'limited' });
  expect(project.deployment_limit).toBeNull();
  const changed = await api.call('patch', `/projects/${project.id}`).send({ deployment_limit: 2 });
  expect(changed.body).toMatchObject({ name: 'limited', deployment_limit: 2 });
  for (const limit of [0, 65, 'two', 1.5]) {
    expect(
      (await api.call('patch', `/projects/${project.id}`).send({ deployment_limit: limit })).status,
    ).toBe(400);
  }
});
