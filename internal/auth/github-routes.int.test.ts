import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { Browser, signedIn } from '../../test/support/browser.ts';
import { FakeGithub } from '../../test/support/fake-github.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { openDatabase } from '../db/database.ts';
import { createLogger } from '../logger/logger.ts';
import { Secret } from '../secrets/secret.ts';
import { readGithubToken } from '../users/github-token.ts';

const CALLBACK = 'http://berth.apps.test:8000/auth/github/callback';

let github: FakeGithub;
let api: ApiUnderTest;
beforeAll(async () => {
  github = await FakeGithub.start();
  github.world.oauth.callbackUrl = CALLBACK;
  github.world.oauth.isOfApp = false;
  for (const login of ['octocat', 'hubot', 'stranger']) github.addUser(login);
  github.addOrganisation('acme', { hubot: 'member' });
  api = await startApi({
    settings: { github: github.settings({ allowedUsers: ['octocat'], allowedOrgs: ['acme', 'other'] }) },
  });
});
afterEach(() => github.heal());
afterAll(async () => {
  await api?.close();
  await github?.close();
});

const user = (login: string) => api.prisma.user.findFirst({ where: { githubLogin: login } });
const counts = async () => [
  await api.prisma.user.count(),
  await api.prisma.project.count(),
  await api.prisma.session.count({ where: { NOT: { sid: { startsWith: 'sign-in:' } } } }),
];

/** To GitHub, which asks whoever sits there, and to where GitHub sends the browser back. */
async function visitGithub(browser: Browser, login: string | null, query = ''): Promise<URL> {
  github.signIn(login);
  const leaving = await browser.get(`/auth/github${query}`);
  expect(leaving.status).toBe(302);
  const answer = await fetch(leaving.headers['location'] ?? '', { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? '');
}
const arrive = (browser: Browser, back: URL) => browser.get(`${back.pathname}${back.search}`);
async function signIn(login: string, browser = new Browser(api.app), query = ''): Promise<Browser> {
  const arrived = await arrive(browser, await visitGithub(browser, login, query));
  expect([arrived.status, arrived.body.detail]).toEqual([302, undefined]);
  return browser;
}

describe('signing in with GitHub', () => {
  test('makes a member with a hash and the project `default`, and a session', async () => {
    const browser = await signIn('octocat');
    const me = await browser.get('/auth/me');
    expect(me.body).toMatchObject({
      name: 'octocat',
      role: 'member',
      via: 'session',
      github_login: 'octocat',
    });
    const row = await user('octocat');
    expect(row?.hash).toMatch(/^[a-z][a-z2-7]{5}$/);
    expect(row?.githubId).toBe(BigInt(github.world.account('octocat')?.id ?? 0));
    expect(await api.prisma.project.findMany({ where: { userId: row?.id ?? '' } })).toMatchObject([
      { name: 'default', networkName: `${row?.hash}-default` },
    ]);
    expect((await browser.get('/api/v1/apps')).body.items).toEqual([]);
    const made = { name: 'my ci', scope: 'deploy' };
    expect((await browser.send('post', '/api/v1/tokens', { body: made })).status).toBe(201);
  });

  test('T48: the first visitor by GitHub does not become an owner, and no later one', async () => {
    await signIn('octocat');
    await signIn('hubot');
    expect(await api.prisma.user.count({ where: { role: 'owner' } })).toBe(1);
  });

  test('again finds the same account, also under another login, which is followed', async () => {
    await signIn('octocat');
    const before = await user('octocat');
    const account = github.world.account('octocat');
    if (account) account.login = 'OctoCat';
    await signIn('OctoCat');
    const after = await api.prisma.user.findUniqueOrThrow({ where: { id: before?.id ?? '' } });
    expect(after).toMatchObject({ githubLogin: 'OctoCat', name: 'OctoCat', hash: before?.hash });
    if (account) account.login = 'octocat';
    await signIn('octocat');
  });

  test('goes to GitHub with state and PKCE, and asks for no more than it needs', async () => {
    const leaving = await new Browser(api.app).get('/api/v1/auth/github');
    const url = new URL(leaving.headers['location'] ?? '');
    expect(`${url.origin}${url.pathname}`).toBe(`${github.url}/login/oauth/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: github.world.oauth.clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      scope: 'read:org',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(leaving.headers['cache-control']).toBe('no-store');
    const open = await startApi({ settings: { github: github.settings({ allowedUsers: ['octocat'] }) } });
    const simple = await new Browser(open.app).get('/auth/github');
    expect(new URL(simple.headers['location'] ?? '').searchParams.get('scope')).toBe('');
    await open.close();
  });

  test('T53: neither Host nor forwarded headers change where it leads', async () => {
    const leaving = await new Browser(api.app).send('get', '/auth/github', {
      headers: { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
    });
    expect(leaving.headers['location']).not.toContain('evil');
    expect(new URL(leaving.headers['location'] ?? '').searchParams.get('redirect_uri')).toBe(CALLBACK);
  });

  test('T47: keeps the access token sealed, and shows it nowhere', async () => {
    const browser = await signIn('octocat');
    const { id = '' } = (await user('octocat')) ?? {};
    const kept = await readGithubToken(api.prisma, api.needs.box, id);
    const token = kept?.token.reveal() ?? '';
    expect(token).toMatch(/^gho_/);
    const rows = await api.prisma.$queryRaw<
      { row: string }[]
    >`SELECT row_to_json(u)::text AS row FROM users u`;
    expect(rows.some(({ row }) => row.includes(token))).toBe(false);
    for (const path of ['/auth/me', '/api/v1/tokens']) {
      expect((await browser.get(path)).text).not.toContain(token);
    }
    expect(JSON.stringify(await api.prisma.auditEvent.findMany({ select: { detail: true } }))).not.toContain(
      token,
    );
  });

  test('several at once of one new person make one account', async () => {
    github.addUser('newcomer');
    github.world.account('acme')?.members.set('newcomer', 'member');
    const browsers = [1, 2, 3, 4].map(() => new Browser(api.app));
    const backs: URL[] = [];
    for (const browser of browsers) backs.push(await visitGithub(browser, 'newcomer'));
    const answers = await Promise.all(
      browsers.map((browser, index) => arrive(browser, backs[index] ?? new URL(CALLBACK))),
    );
    expect(answers.map(({ status }) => status)).toEqual([302, 302, 302, 302]);
    expect(await api.prisma.user.count({ where: { githubLogin: 'newcomer' } })).toBe(1);
  });
});

describe('T48: who may sign in', () => {
  test('a login on the list, and a member of an organisation on it', async () => {
    expect((await (await signIn('octocat')).get('/auth/me')).status).toBe(200);
    expect((await (await signIn('hubot')).get('/auth/me')).status).toBe(200);
  });

  test('nobody else: 403, no account, no session', async () => {
    const browser = new Browser(api.app);
    const before = await counts();
    const answer = await arrive(browser, await visitGithub(browser, 'stranger'));
    expect([answer.status, answer.body.code]).toEqual([403, 'sign_in_refused']);
    expect(answer.body.detail).toContain('stranger may not sign in here');
    expect(await counts()).toEqual(before);
    expect((await browser.get('/auth/me')).status).toBe(401);
  });

  test('nobody at all while nobody is listed', async () => {
    const closed = await startApi({ settings: { github: github.settings() } });
    try {
      const browser = new Browser(closed.app);
      const back = await visitGithub(browser, 'octocat');
      expect((await arrive(browser, back)).body.code).toBe('sign_in_refused');
      expect(await closed.prisma.user.count()).toBe(1);
    } finally {
      await closed.close();
    }
  });

  test('asked anew each time: who has left the organisation is out', async () => {
    await signIn('hubot');
    github.world.account('acme')?.members.delete('hubot');
    const browser = new Browser(api.app);
    expect((await arrive(browser, await visitGithub(browser, 'hubot'))).status).toBe(403);
    github.world.account('acme')?.members.set('hubot', 'member');
  });

  test('an organisation that does not let this application look at its members counts as none', async () => {
    github.fail(/^GET \/user\/memberships/, { kind: 'status', status: 403 });
    const browser = new Browser(api.app);
    expect((await arrive(browser, await visitGithub(browser, 'hubot'))).status).toBe(403);
  });
});

describe('T47: coming back without having left from here', () => {
  const refused = { status: 403, code: 'sign_in_refused' };
  async function expectRefused(answer: { status: number; body: { code: string } }): Promise<void> {
    expect({ status: answer.status, code: answer.body.code }).toEqual(refused);
    expect(github.requestsTo(/access_token/).length).toBe(exchanges);
  }
  let exchanges = 0;

  test('without state, with a wrong one, in another browser, or once more', async () => {
    const browser = new Browser(api.app);
    const back = await visitGithub(browser, 'octocat');
    exchanges = github.requestsTo(/access_token/).length;
    const code = back.searchParams.get('code') ?? '';
    await expectRefused(await browser.get(`${back.pathname}?code=${code}`));
    await expectRefused(await browser.get(`${back.pathname}?code=${code}&state=${'x'.repeat(43)}`));
    await expectRefused(await arrive(new Browser(api.app), back));
    await expectRefused(await browser.get(back.pathname));
    await expectRefused(await browser.get(`${back.pathname}?code=&error=`));

    expect((await arrive(browser, back)).status).toBe(302);
    exchanges += 1;
    await expectRefused(await arrive(browser, back));
  });

  test('after ten minutes', async () => {
    const browser = new Browser(api.app);
    const back = await visitGithub(browser, 'octocat');
    exchanges = github.requestsTo(/access_token/).length;
    await api.prisma.session.updateMany({
      where: { sid: { startsWith: 'sign-in:' } },
      data: { expire: new Date(Date.now() - 1) },
    });
    await expectRefused(await arrive(browser, back));
  });

  test('what was begun and never ended does not pile up', async () => {
    for (const _ of [1, 2, 3]) await new Browser(api.app).get('/auth/github');
    const begun = { sid: { startsWith: 'sign-in:' } };
    await api.prisma.session.updateMany({ where: begun, data: { expire: new Date(Date.now() - 1) } });
    await new Browser(api.app).get('/auth/github');
    expect(await api.prisma.session.count({ where: begun })).toBe(1);
  });

  test('a state is not another one’s: two sign-ins of one browser do not disturb each other', async () => {
    const browser = new Browser(api.app);
    const first = await visitGithub(browser, 'octocat', '?return_to=/ui/first');
    const second = await visitGithub(browser, 'octocat', '?return_to=/ui/second');
    expect((await arrive(browser, first)).headers['location']).toBe('/ui/first');
    expect((await arrive(browser, second)).headers['location']).toBe('/ui/second');
  });

  test('a code of someone else under a right state fails by PKCE', async () => {
    const attacker = await visitGithub(new Browser(api.app), 'hubot');
    const browser = new Browser(api.app);
    const back = await visitGithub(browser, 'octocat');
    back.searchParams.set('code', attacker.searchParams.get('code') ?? '');
    const answer = await arrive(browser, back);
    expect([answer.status, answer.body.code]).toEqual([403, 'sign_in_refused']);
    expect((await browser.get('/auth/me')).status).toBe(401);
  });

  test('another number under the same login is another account', async () => {
    await signIn('octocat');
    const first = await user('octocat');
    const account = github.world.account('octocat');
    if (account) account.login = 'octocat-moved';
    const squatter = github.addUser('octocat');
    await signIn('octocat');
    const both = await api.prisma.user.findMany({ where: { githubLogin: 'octocat' } });
    expect(both.map(({ githubId }) => githubId)).toContain(BigInt(squatter.id));
    expect(new Set(both.map(({ id }) => id)).size).toBe(2);
    expect(both.find(({ id }) => id === first?.id)?.githubId).toBe(first?.githubId);
    // As it was.
    squatter.login = 'squatter';
    if (account) account.login = 'octocat';
    await api.prisma.project.deleteMany({ where: { user: { githubId: BigInt(squatter.id) } } });
    await api.prisma.user.delete({ where: { githubId: BigInt(squatter.id) } });
  });

  test('T46: the session of before the sign-in is gone, and its id never comes again', async () => {
    const browser = await signIn('octocat');
    const before = browser.cookie('berth') ?? '';
    await browser.send('post', '/auth/logout');
    await signIn('octocat', browser);
    expect(browser.cookie('berth')).not.toBe(before);
    const old = new Browser(api.app);
    old.setCookie('berth', before);
    expect((await old.get('/auth/me')).status).toBe(401);
  });
});

describe('where it leads afterwards', () => {
  test('to a path of ours, else to the start', async () => {
    const browser = new Browser(api.app);
    const there = await arrive(browser, await visitGithub(browser, 'octocat', '?return_to=/ui/apps%3Fa%3Db'));
    expect(there.headers['location']).toBe('/ui/apps?a=b');
    const start = new Browser(api.app);
    expect((await arrive(start, await visitGithub(start, 'octocat'))).headers['location']).toBe('/');
  });

  test.each(['https://evil.example', '//evil.example', '/\\evil.example'])('never to %s', async (to) => {
    const answer = await new Browser(api.app).get(`/auth/github?return_to=${encodeURIComponent(to)}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_input']);
  });
});

describe('someone who is signed in connects their account', () => {
  test('the owner by token, and signs in with GitHub from then on', async () => {
    const own = await startApi({ settings: { github: github.settings({ allowedUsers: ['octocat'] }) } });
    try {
      const browser = await signedIn(own.app, own.token);
      const session = browser.cookie('berth');
      const back = await visitGithub(browser, 'octocat', '?scope=repo&return_to=/ui');
      expect((await arrive(browser, back)).status).toBe(302);
      expect(browser.cookie('berth')).toBe(session);
      const me = await browser.get('/auth/me');
      expect(me.body).toMatchObject({
        role: 'owner',
        name: 'owner',
        github_login: 'octocat',
        github_scopes: ['repo'],
      });
      const other = new Browser(own.app);
      expect((await arrive(other, await visitGithub(other, 'octocat'))).status).toBe(302);
      expect((await other.get('/auth/me')).body.id).toBe(me.body.id);
      expect(await own.prisma.user.count()).toBe(1);
      // A plain sign-in does not take away what was allowed for more.
      expect((await other.get('/auth/me')).body.github_scopes).toEqual(['repo']);
    } finally {
      await own.close();
    }
  });

  test('not with a GitHub account that has one of its own here', async () => {
    await signIn('hubot');
    const browser = await signedIn(api.app, api.token);
    const answer = await arrive(browser, await visitGithub(browser, 'hubot'));
    expect([answer.status, answer.body.code]).toEqual([409, 'github_account_taken']);
    expect((await browser.get('/auth/me')).body).toMatchObject({ role: 'owner', github_login: null });
  });

  test('not a second one beside the first', async () => {
    const browser = await signIn('hubot');
    const answer = await arrive(browser, await visitGithub(browser, 'stranger'));
    expect([answer.status, answer.body.code]).toEqual([403, 'sign_in_refused']);
    expect((await browser.get('/auth/me')).body.github_login).toBe('hubot');
  });

  test('a page elsewhere cannot begin it', async () => {
    const browser = await signedIn(api.app, api.token);
    const answer = await browser.send('get', '/auth/github', { headers: { 'Sec-Fetch-Site': 'cross-site' } });
    expect([answer.status, answer.body.code]).toEqual([403, 'csrf_refused']);
  });

  test('a session that is put under it meanwhile gets nothing', async () => {
    const victim = new Browser(api.app);
    const back = await visitGithub(victim, 'hubot', '?scope=repo');
    const attacker = await signedIn(api.app, api.token);
    victim.setCookie('berth', attacker.cookie('berth') ?? '');
    await arrive(victim, back);
    const owner = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
    expect([owner.githubId, owner.githubToken]).toEqual([null, null]);
    expect((await victim.get('/auth/me')).body.github_login).toBe('hubot');

    const leaving = await signedIn(api.app, api.token);
    const later = await visitGithub(leaving, 'stranger');
    await leaving.send('post', '/auth/logout');
    expect((await arrive(leaving, later)).body.code).toBe('sign_in_refused');
    expect(await user('stranger')).toBeNull();
  });
});

describe('when it does not work', () => {
  test.each<[string, RegExp, Parameters<FakeGithub['fail']>[1]]>([
    ['the connection breaks at the exchange', /access_token/, { kind: 'reset' }],
    ['GitHub has trouble at the exchange', /access_token/, { kind: 'status', status: 503 }],
    ['a proxy answers the exchange', /access_token/, { kind: 'html', status: 200 }],
    ['the exchange leads elsewhere', /access_token/, { kind: 'redirect', to: 'https://evil.example/' }],
    ['the connection breaks at the profile', /GET \/user$/, { kind: 'reset' }],
    ['a proxy answers the profile', /GET \/user$/, { kind: 'html', status: 200 }],
    ['GitHub has trouble at the profile', /GET \/user$/, { kind: 'status', status: 500 }],
    ['the connection breaks at the organisations', /memberships/, { kind: 'reset' }],
    ['the limit of calls is reached', /memberships/, { kind: 'rate_limit', resetInSeconds: 60 }],
  ])('%s: 502, and nobody is signed in', async (_what, route, fault) => {
    github.addUser('unlucky');
    const browser = new Browser(api.app);
    const back = await visitGithub(browser, 'unlucky');
    const before = await counts();
    github.fail(route, fault);
    const answer = await arrive(browser, back);
    expect([answer.status, answer.body.code]).toEqual([502, 'github_unavailable']);
    expect(answer.text).not.toMatch(/127\.0\.0\.1|secret|ECONN|stack/i);
    expect(await counts()).toEqual(before);
  });

  test('GitHub does not know our secret: it says what the owner must look at', async () => {
    const { clientSecret } = github.world.oauth;
    const browser = new Browser(api.app);
    const back = await visitGithub(browser, 'octocat');
    github.world.oauth.clientSecret = 'another';
    const answer = await arrive(browser, back);
    github.world.oauth.clientSecret = clientSecret;
    expect([answer.status, answer.body.code]).toEqual([501, 'github_not_configured']);
    expect(answer.body.detail).toContain('(incorrect_client_credentials)');
    expect(answer.body.detail).toContain('GITHUB_CLIENT_SECRET');
    expect(answer.text).not.toContain(clientSecret);
  });

  test('the person says no at GitHub', async () => {
    const browser = new Browser(api.app);
    const answer = await arrive(browser, await visitGithub(browser, null));
    expect([answer.status, answer.body.code]).toEqual([403, 'sign_in_refused']);
    expect(answer.body.detail).toContain('did not allow it');
  });

  test('what the address line says is not repeated', async () => {
    const answer = await new Browser(api.app).get('/auth/github/callback?error=%3Cscript%3E&state=x');
    expect([answer.status, answer.text.includes('script')]).toEqual([403, false]);
  });

  test('F19: the database is away: that is what is said, and not GitHub', async () => {
    const [port] = await freePorts(1);
    const logger = createLogger({ level: 'silent', process: 'api' });
    const away = openDatabase(new Secret(`postgresql://u:p@127.0.0.1:${port}/x`), logger);
    const down = await startApi({ prisma: away.prisma, settings: { github: github.settings() } });
    try {
      const browser = new Browser(down.app);
      browser.setCookie('berth-sign-in', 'x'.repeat(43));
      for (const path of ['/auth/github', '/auth/github/callback?code=a&state=b']) {
        const answer = await browser.get(path);
        expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable']);
        expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN|prisma|select/i);
      }
    } finally {
      await down.close();
      await away.close();
    }
  });

  test('it is not set up: 501, and what works instead', async () => {
    const none = await startApi();
    try {
      for (const path of ['/auth/github', '/auth/github/callback?code=a&state=b']) {
        const answer = await new Browser(none.app).get(path);
        expect([answer.status, answer.body.code]).toEqual([501, 'github_not_configured']);
        expect(answer.body.detail).toContain('POST /auth/session');
      }
      expect((await new Browser(none.app).get('/auth/methods')).body).toEqual({ token: true, github: false });
      expect((await new Browser(api.app).get('/auth/methods')).body).toEqual({ token: true, github: true });
    } finally {
      await none.close();
    }
  });
});
