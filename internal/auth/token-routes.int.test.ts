import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { type Browser, signedIn } from '../../test/support/browser.ts';

let api: ApiUnderTest;
let browser: Browser;
beforeAll(async () => {
  api = await startApi();
  browser = await signedIn(api.app, api.token);
});
afterAll(() => api?.close());

const make = (body: object, by = browser) => by.send('post', '/api/v1/tokens', { body });
const meBy = (token: string) => supertest(api.app).get('/auth/me').auth(token, { type: 'bearer' });

describe('an API token', () => {
  test('T45: is shown once, stored as its hash, and does what its scope says', async () => {
    const made = await make({ name: 'ci', scope: 'deploy', expires_in_days: 90 });
    expect(made.status).toBe(201);
    const { token, ...shown } = made.body;
    expect(token).toMatch(/^berth_[\w-]{43}$/);
    expect(shown).toMatchObject({
      name: 'ci',
      scope: 'deploy',
      prefix: token.slice(0, 12),
      last_used_at: null,
    });
    const days = (Date.parse(shown.expires_at) - Date.parse(shown.created_at)) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    expect((await meBy(token)).body).toMatchObject({ role: 'owner', via: 'token', scope: 'deploy' });

    const list = await api.call('get', '/tokens');
    const listed = list.body.items.find(({ id }: { id: string }) => id === shown.id);
    expect(listed).toEqual({ ...shown, last_used_at: expect.any(String) });
    expect(list.text).not.toContain(token);
    const rows = await api.prisma.$queryRaw<
      { row: string }[]
    >`SELECT row_to_json(t)::text AS row FROM tokens t`;
    const audit = JSON.stringify(await api.prisma.auditEvent.findMany({ select: { detail: true } }));
    for (const text of [...rows.map(({ row }) => row), audit]) expect(text).not.toContain(token);
    await expect(
      api.prisma.auditEvent.findFirstOrThrow({ where: { action: 'token.create', objectId: shown.id } }),
    ).resolves.toMatchObject({ object: 'token', detail: { name: 'ci', scope: 'deploy' } });
  });

  test('lasts until it is removed when no days are given', async () => {
    const endless = [await make({ name: 'a', scope: 'read' })];
    endless.push(await make({ name: 'b', scope: 'read', expires_in_days: null }));
    for (const { body } of endless) expect(body.expires_at).toBeNull();
  });

  test('T45: cannot make tokens, whatever its scope, and says how one is made', async () => {
    const { body } = await make({ name: 'admin', scope: 'admin' });
    for (const token of [api.token, body.token]) {
      const answer = await supertest(api.app)
        .post('/api/v1/tokens')
        .auth(token, { type: 'bearer' })
        .send({ name: 'heir', scope: 'read' });
      expect([answer.status, answer.body.code]).toEqual([403, 'session_needed']);
      expect(answer.body.detail).toContain('POST /auth/session');
    }
    expect(await api.prisma.apiToken.count({ where: { name: 'heir' } })).toBe(0);
  });

  test('T74: that is removed ends at once, and the session it opened with it', async () => {
    const { body } = await make({ name: 'short', scope: 'admin' });
    const opened = await signedIn(api.app, body.token);
    expect((await meBy(body.token)).status).toBe(200);
    expect((await browser.send('delete', `/api/v1/tokens/${body.id}`)).status).toBe(204);
    expect((await meBy(body.token)).status).toBe(401);
    expect((await opened.get('/auth/me')).status).toBe(401);
    expect((await browser.send('delete', `/api/v1/tokens/${body.id}`)).status).toBe(404);
  });

  test('T41: of someone else is neither seen nor removed; the answer is that of a missing one', async () => {
    const other = await addUser(api.prisma);
    const { body } = await make({ name: 'mine', scope: 'read' });
    const foreign = await callAs(api.app, other)('delete', `/tokens/${body.id}`);
    const missing = await callAs(api.app, other)('delete', '/tokens/aaaaaaaaaa');
    expect(foreign.status).toBe(404);
    expect({ ...foreign.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
    const list = await callAs(api.app, other)('get', '/tokens');
    expect(list.body.items.map(({ name }: { name: string }) => name)).toEqual(['test']);
    expect((await meBy(body.token)).status).toBe(200);
  });

  test('is listed by pages, newest first', async () => {
    const all = (await api.call('get', '/tokens?limit=200')).body.items as { id: string }[];
    const first = (await api.call('get', '/tokens?limit=2')).body;
    const second = (await api.call('get', `/tokens?limit=200&cursor=${first.next_cursor}`)).body;
    expect([...first.items, ...second.items]).toEqual(all);
  });

  test.each<[string, object, string]>([
    ['no name', { scope: 'read' }, '/name'],
    ['an empty name', { name: '  ', scope: 'read' }, '/name'],
    ['no scope', { name: 'x' }, '/scope'],
    ['an unknown scope', { name: 'x', scope: 'root' }, '/scope'],
    ['no days', { name: 'x', scope: 'read', expires_in_days: 0 }, '/expires_in_days'],
    ['too many', { name: 'x', scope: 'read', expires_in_days: 100_000 }, '/expires_in_days'],
    ['T44: another owner', { name: 'x', scope: 'read', user_id: 'aaaaaaaaaa' }, '/user_id'],
    ['T44: a hash', { name: 'x', scope: 'read', tokenHash: 'x' }, '/tokenHash'],
    ['T44: a token', { name: 'x', scope: 'read', token: 'berth_x' }, '/token'],
  ])('is not made with %s', async (_what, body, field) => {
    const before = await api.prisma.apiToken.count();
    const answer = await make(body);
    expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([400, field]);
    expect(await api.prisma.apiToken.count()).toBe(before);
  });
});

test('a member signs in with a token of their own and makes tokens of their own', async () => {
  const member = await addUser(api.prisma, 'member');
  const theirs = await signedIn(api.app, member.token);
  const { body } = await make({ name: 'x', scope: 'admin' }, theirs);
  expect((await meBy(body.token)).body).toMatchObject({ id: member.id, role: 'member', scope: 'admin' });
});
