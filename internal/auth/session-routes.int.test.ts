import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { addUser } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { Browser, signedIn } from '../../test/support/browser.ts';
import { newId } from '../db/ids.ts';
import { newToken, tokenHash, tokenPrefix } from './api-token.ts';
import { sessionIdOf } from './session-cookie.ts';

let api: ApiUnderTest;
let https: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
  https = await startApi({ settings: { publicUrl: 'https://berth.apps.test' } });
});
afterAll(async () => {
  await api?.close();
  await https?.close();
});

const owner = () => api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
const rowOf = (browser: Browser) => {
  const sid = sessionIdOf(browser.cookieHeader, api.needs.sessions.cookie) ?? '';
  return api.prisma.session.findUnique({ where: { sid } });
};
async function addToken(userId: string, scope: 'read' | 'deploy' | 'admin' = 'admin') {
  const token = newToken();
  const row = await api.prisma.apiToken.create({
    data: {
      id: newId(),
      userId,
      name: 't',
      scope,
      prefix: tokenPrefix(token),
      tokenHash: tokenHash(token),
    },
  });
  return { id: row.id, token: token.reveal() };
}

describe('signing in with a token', () => {
  test('gives a browser a session that may do everything the token may', async () => {
    const browser = await signedIn(api.app, api.token);
    const { id } = await owner();
    const me = await browser.get('/auth/me');
    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({ id, role: 'owner', via: 'session', scope: 'admin', github_login: null });
    expect((await browser.get('/api/v1/apps')).status).toBe(200);
    const made = await browser.send('post', '/api/v1/projects', { body: { name: 'by-session' } });
    expect(made.status).toBe(201);
    const audit = await api.prisma.auditEvent.findFirstOrThrow({ where: { action: 'session.start' } });
    expect(audit).toMatchObject({ userId: id, object: 'session', objectId: id });
  });

  test('T52: the cookie is for this host and its pages only, over https by its name too', async () => {
    const answer = await supertest(https.app)
      .post('/api/v1/auth/session')
      .auth(https.token, { type: 'bearer' });
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-berth=s%3A[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    const plain = await supertest(api.app).post('/auth/session').auth(api.token, { type: 'bearer' });
    expect(plain.headers['set-cookie']).toEqual([
      expect.stringMatching(/^berth=s%3A[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/),
    ]);
  });

  test.each(['read', 'deploy'] as const)('T45: a token of the scope %s gives none', async (scope) => {
    const { token } = await addToken((await owner()).id, scope);
    const answer = await supertest(api.app).post('/auth/session').auth(token, { type: 'bearer' });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('a session that signs in again stays as it is', async () => {
    const browser = await signedIn(api.app, api.token);
    const before = browser.cookie('berth');
    const again = await browser.send('post', '/auth/session');
    expect([again.status, again.headers['set-cookie']]).toEqual([200, undefined]);
    expect(browser.cookie('berth')).toBe(before);
  });

  test('with a token no session is looked at, and none is written', async () => {
    const browser = await signedIn(api.app, api.token);
    const sessions = await api.prisma.session.count();
    const wrong = await browser.send('get', '/auth/me', { headers: { Authorization: 'Bearer wrong' } });
    expect(wrong.status).toBe(401);
    const right = await api.call('get', '/auth/me').set('Cookie', browser.cookieHeader);
    expect(right.body).toMatchObject({ via: 'token' });
    expect(right.headers['set-cookie']).toBeUndefined();
    expect(await api.prisma.session.count()).toBe(sessions);
  });

  test('a password that a proxy asks for does not hide the session', async () => {
    const browser = await signedIn(api.app, api.token);
    const answer = await browser.send('get', '/auth/me', { headers: { Authorization: 'Basic dTpw' } });
    expect(answer.body).toMatchObject({ via: 'session' });
  });
});

describe('T46: a session ends', () => {
  test('its id is new at each sign-in, and the one before is gone', async () => {
    const browser = new Browser(api.app);
    const signIn = () =>
      browser.send('post', '/auth/session', { headers: { Authorization: `Bearer ${api.token}` } });
    await signIn();
    const first = browser.cookie('berth') ?? '';
    await signIn();
    expect(browser.cookie('berth')).not.toBe(first);
    const old = new Browser(api.app);
    old.setCookie('berth', first);
    expect((await old.get('/auth/me')).status).toBe(401);
    expect((await browser.get('/auth/me')).status).toBe(200);
  });

  test('an id that someone else has chosen is not taken over', async () => {
    const browser = new Browser(api.app);
    browser.setCookie('berth', 's%3Achosen.by-someone');
    await browser.send('post', '/auth/session', { headers: { Authorization: `Bearer ${api.token}` } });
    expect(browser.cookie('berth')).not.toContain('chosen');
    expect((await browser.get('/auth/me')).status).toBe(200);
  });

  test('with the sign-out, also for whoever kept the cookie', async () => {
    const browser = await signedIn(api.app, api.token);
    const kept = browser.cookie('berth') ?? '';
    const answer = await browser.send('post', '/auth/logout');
    expect(answer.status).toBe(204);
    expect(browser.cookie('berth')).toBeUndefined();
    const thief = new Browser(api.app);
    thief.setCookie('berth', kept);
    expect((await thief.get('/auth/me')).status).toBe(401);
    expect((await thief.send('post', '/auth/logout')).status).toBe(401);
  });

  test('over https the cookie that is cleared is the same one', async () => {
    const browser = await signedIn(https.app, https.token);
    const answer = await browser.send('post', '/auth/logout');
    expect(answer.headers['set-cookie']).toEqual([
      '__Host-berth=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
    ]);
  });

  test('a token has no session to sign out of', async () => {
    const answer = await api.call('post', '/auth/logout');
    expect([answer.status, answer.body.code]).toEqual([403, 'session_needed']);
  });

  test('with the token it was opened with (T45), and when that expires', async () => {
    const { id, token } = await addToken((await owner()).id);
    const browser = await signedIn(api.app, token);
    expect((await browser.get('/auth/me')).status).toBe(200);
    const past = new Date(Date.now() - 1_000);
    await api.prisma.apiToken.update({ where: { id }, data: { expiresAt: past } });
    expect((await browser.get('/auth/me')).status).toBe(401);
    await api.prisma.apiToken.update({ where: { id }, data: { expiresAt: null } });
    expect((await browser.get('/auth/me')).status).toBe(200);
    await api.prisma.apiToken.delete({ where: { id } });
    expect((await browser.get('/auth/me')).status).toBe(401);
  });

  test('T74: with its user; and what the user may do is asked each time', async () => {
    const { id, token } = await addUser(api.prisma, 'leaving');
    const browser = await signedIn(api.app, token);
    expect((await browser.get('/api/v1/users')).status).toBe(403);
    await api.prisma.user.update({ where: { id }, data: { role: 'owner' } });
    expect((await browser.get('/api/v1/users')).status).toBe(200);
    await api.prisma.user.delete({ where: { id } });
    expect((await browser.get('/auth/me')).status).toBe(401);
  });

  test('after so many hours without a request, and after so many days in any case', async () => {
    const browser = await signedIn(api.app, api.token);
    const row = await rowOf(browser);
    const hours = ((row?.expire.getTime() ?? 0) - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(72);

    await api.prisma.session.update({
      where: { sid: row?.sid ?? '' },
      data: { expire: new Date(Date.now() - 1) },
    });
    expect((await browser.get('/auth/me')).status).toBe(401);

    const old = await signedIn(api.app, api.token);
    const started = new Date(Date.now() - 30 * 86_400_000 - 1_000);
    const { sid, sess } = (await rowOf(old)) ?? { sid: '', sess: {} };
    await api.prisma.session.update({
      where: { sid },
      data: { sess: { ...(sess as object), startedAt: started.toISOString() } },
    });
    expect((await old.get('/auth/me')).status).toBe(401);
  });

  test('a use prolongs it, written at most once a minute', async () => {
    const browser = await signedIn(api.app, api.token);
    const first = await rowOf(browser);
    await browser.get('/auth/me');
    expect((await rowOf(browser))?.expire).toEqual(first?.expire);
    const sid = first?.sid ?? '';
    await api.prisma.session.update({
      where: { sid },
      data: { expire: new Date(Date.now() + 3_600_000) },
    });
    await browser.get('/auth/me');
    expect((await rowOf(browser))?.expire.getTime()).toBeGreaterThanOrEqual(
      (first?.expire.getTime() ?? 0) - 1_000,
    );
  });
});

test('T45: neither the database nor an answer has what a session could be taken over with', async () => {
  const browser = await signedIn(api.app, api.token);
  const value = decodeURIComponent(browser.cookie('berth') ?? '');
  const dump = JSON.stringify(await api.prisma.session.findMany());
  expect(dump).toContain('startedAt');
  expect(dump).not.toContain(value.split('.')[1]);
  expect((await browser.get('/auth/me')).text).not.toContain(value.slice(2, 20));
});

describe('T50: with a session, only pages of ours change something', () => {
  const cases: [string, Record<string, string>, string, number][] = [
    ['a form of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, '', 403],
    ['the same in a browser without Sec-Fetch-Site', { Origin: 'https://evil.example' }, '', 403],
    ['an app below the same domain', { 'Sec-Fetch-Site': 'same-site' }, '', 403],
    ['no Origin at all', {}, '', 403],
    ['text/plain JSON of another site', { Origin: 'https://evil.example' }, 'text/plain', 403],
    ['text/plain JSON of ours', { 'Sec-Fetch-Site': 'same-origin' }, 'text/plain', 415],
    ['a form of ours', { 'Sec-Fetch-Site': 'same-origin' }, 'application/x-www-form-urlencoded', 415],
    ['a page of ours', { 'Sec-Fetch-Site': 'same-origin' }, 'application/json', 201],
    ['a page of ours by its Origin', { Origin: 'http://berth.apps.test:8000' }, 'application/json', 201],
  ];
  test.each(cases)('%s', async (what, headers, type, status) => {
    const browser = await signedIn(api.app, api.token);
    const name = `p${what.length}-${Object.keys(headers).join('-').toLowerCase()}`.slice(0, 30);
    const before = await api.prisma.project.count();
    const answer = await supertest(api.app)
      .post('/api/v1/projects')
      .set({ Cookie: browser.cookieHeader, ...headers })
      .type(type || 'application/x-www-form-urlencoded')
      .send(type.endsWith('json') ? { name } : `{"name":"${name}"}`);
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body.code).toBe('csrf_refused');
    expect((await api.prisma.project.count()) - before).toBe(status === 201 ? 1 : 0);
  });

  test('what takes no body is guarded, too', async () => {
    const browser = await signedIn(api.app, api.token);
    const sent = (headers: object) =>
      supertest(api.app)
        .post('/auth/logout')
        .set({ Cookie: browser.cookieHeader, ...headers });
    expect((await sent({ Origin: 'https://evil.example' })).body.code).toBe('csrf_refused');
    const form = sent({ 'Sec-Fetch-Site': 'same-origin' }).type('form').send('a=b');
    expect((await form).status).toBe(415);
    expect((await browser.get('/auth/me')).status).toBe(200);
  });

  test('a token needs no Origin, and any page may read nothing by GET alone', async () => {
    expect((await api.call('post', '/projects').send({ name: 'by-token' })).status).toBe(201);
    const browser = await signedIn(api.app, api.token);
    const answer = await browser.send('get', '/auth/me', {
      headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});

test('with AUTH=none there is nobody to sign in: one is the local user', async () => {
  const local = await startApi({ settings: { auth: 'none' } });
  try {
    const ask = (method: 'get' | 'post', path: string) =>
      supertest(local.app)[method](path).set('Host', 'localhost:8080');
    expect((await ask('get', '/auth/me')).body).toMatchObject({
      role: 'owner',
      via: 'local',
      scope: 'admin',
    });
    expect((await ask('get', '/auth/methods')).body).toEqual({ token: false, github: false });
    expect((await ask('post', '/auth/session')).status).toBe(404);
    expect((await ask('get', '/auth/github')).status).toBe(404);
    const made = await ask('post', '/tokens').send({ name: 'later', scope: 'read' });
    expect(made.status).toBe(201);
  } finally {
    await local.close();
  }
});
