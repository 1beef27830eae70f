import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type AnotherUser, addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { signedIn } from '../../test/support/browser.ts';

let api: ApiUnderTest;
let member: AnotherUser;
let ownerId: string;
beforeAll(async () => {
  api = await startApi();
  ownerId = (await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } })).id;
});
beforeEach(async () => {
  member = await addUser(api.prisma, 'member');
});
afterAll(() => api?.close());

const find = (id: string) => api.prisma.user.findUnique({ where: { id } });
const asMember = (...call: Parameters<ReturnType<typeof callAs>>) => callAs(api.app, member)(...call);
const newApp = { repo_url: 'https://github.com/acme/front' };

describe('users', () => {
  test('are listed for the owner, with allow-listed fields only (T57)', async () => {
    const githubToken = new Uint8Array(Buffer.from('marker-secret'));
    await api.prisma.user.update({ where: { id: member.id }, data: { githubToken, githubId: 7n } });
    const answer = await api.call('get', '/users');
    expect(answer.status).toBe(200);
    const listed = answer.body.items.find(({ id }: { id: string }) => id === member.id);
    expect(listed).toEqual({
      id: member.id,
      name: 'member',
      role: 'member',
      hash: member.hash,
      github_login: null,
      last_sign_in_at: null,
      created_at: expect.any(String),
    });
    expect(answer.text).not.toMatch(/marker|githubToken|token/i);
  });

  test('T41: members learn nothing of each other', async () => {
    for (const answer of [
      await asMember('get', '/users'),
      await asMember('patch', `/users/${ownerId}`).send({ role: 'member' }),
      await asMember('patch', `/users/${member.id}`).send({ role: 'owner' }),
      await asMember('delete', `/users/${ownerId}`),
      await asMember('delete', '/users/aaaaaaaaaa'),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
      expect(answer.text).not.toContain(ownerId);
    }
    expect((await find(member.id))?.role).toBe('member');
  });

  test.each(['id', 'hash', 'name', 'githubId', 'github_login', 'created_at'])(
    'T44: %s cannot be changed',
    async (field) => {
      const before = await find(member.id);
      const body = { role: 'owner', [field]: 'x' };
      const answer = await api.call('patch', `/users/${member.id}`).send(body);
      expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([400, `/${field}`]);
      expect(await find(member.id)).toEqual(before);
    },
  );
});

describe('owners', () => {
  test('T74: are made and unmade from one request to the next', async () => {
    const made = await api.call('patch', `/users/${member.id}`).send({ role: 'owner' });
    expect(made.body).toMatchObject({ id: member.id, role: 'owner' });
    expect((await asMember('get', '/users')).status).toBe(200);
    await api.call('patch', `/users/${member.id}`).send({ role: 'member' });
    expect((await asMember('get', '/users')).status).toBe(403);
    const audit = await api.prisma.auditEvent.findMany({ where: { objectId: member.id } });
    expect(audit).toMatchObject([
      { action: 'user.change', detail: { role: ['member', 'owner'] } },
      { action: 'user.change', detail: { role: ['owner', 'member'] } },
    ]);
  });

  test('there is always one', async () => {
    const demoted = await api.call('patch', `/users/${ownerId}`).send({ role: 'member' });
    const removed = await api.call('delete', `/users/${ownerId}`);
    for (const answer of [demoted, removed]) {
      expect([answer.status, answer.body.code]).toEqual([409, 'last_owner']);
    }
    expect((await api.call('get', '/auth/me')).body.role).toBe('owner');
  });

  test('also when two remove each other at the same time', async () => {
    await api.prisma.user.update({ where: { id: member.id }, data: { role: 'owner' } });
    const answers = await Promise.all([
      api.call('patch', `/users/${member.id}`).send({ role: 'member' }),
      asMember('patch', `/users/${ownerId}`).send({ role: 'member' }),
    ]);
    // The loser is refused as the last owner, or as no owner any more.
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    expect(await api.prisma.user.count({ where: { role: 'owner' } })).toBe(1);
    await api.prisma.user.update({ where: { id: ownerId }, data: { role: 'owner' } });
  });
});

describe('a user who is removed', () => {
  test('T46, T74: is out at once, with every session and token', async () => {
    const browser = await signedIn(api.app, member.token);
    expect((await api.call('delete', `/users/${member.id}`)).status).toBe(204);
    expect((await asMember('get', '/apps')).status).toBe(401);
    expect((await browser.get('/auth/me')).status).toBe(401);
    expect(await find(member.id)).toBeNull();
    expect(await api.prisma.apiToken.count({ where: { userId: member.id } })).toBe(0);
    const rows = await api.prisma.session.findMany();
    expect(JSON.stringify(rows)).not.toContain(member.id);
    expect((await api.call('delete', `/users/${member.id}`)).status).toBe(404);
  });

  test('leaves no project that nothing was made in', async () => {
    await asMember('post', '/projects').send({ name: 'empty' });
    expect((await api.call('delete', `/users/${member.id}`)).status).toBe(204);
    expect(await api.prisma.project.count({ where: { userId: member.id } })).toBe(0);
  });

  test('stays while there are apps, unless the owner takes them over', async () => {
    const mine = (await api.call('post', '/apps').send({ ...newApp, name: 'front' })).body;
    const app = (await asMember('post', '/apps').send({ ...newApp, name: 'front' })).body;
    await asMember('post', '/projects').send({ name: 'empty' });
    const refused = await api.call('delete', `/users/${member.id}`);
    expect([refused.status, refused.body.code]).toEqual([409, 'user_has_projects']);
    expect(refused.body.detail).toContain('the project "default"');
    expect(refused.body.detail).toContain('?take_projects=true');
    expect((await asMember('get', `/apps/${app.id}`)).status).toBe(200);
    expect(await api.prisma.project.count({ where: { userId: member.id } })).toBe(2);

    expect((await api.call('delete', `/users/${member.id}?take_projects=true`)).status).toBe(204);
    const taken = (await api.call('get', `/apps/${app.id}`)).body;
    expect(taken).toMatchObject({ id: app.id, name: 'front', project: `default-${member.hash}` });
    const project = await api.prisma.project.findFirstOrThrow({ where: { name: taken.project } });
    expect(project).toMatchObject({ userId: ownerId, networkName: `${member.hash}-default` });
    expect((await api.call('get', `/apps/${mine.id}`)).body.project).toBe('default');
    const audit = await api.prisma.auditEvent.findFirstOrThrow({
      where: { action: 'user.delete', objectId: member.id },
    });
    expect(audit.detail).toMatchObject({ name: 'member', took_projects: true });
  });

  test('may be oneself, where there is another owner', async () => {
    await api.prisma.user.update({ where: { id: member.id }, data: { role: 'owner' } });
    expect((await asMember('delete', `/users/${member.id}?take_projects=true`)).status).toBe(204);
    expect((await asMember('get', '/apps')).status).toBe(401);
  });
});
