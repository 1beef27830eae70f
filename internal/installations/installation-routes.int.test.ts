import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { type Browser, signedIn } from '../../test/support/browser.ts';
import { FakeGithub, type Installation, type Repository } from '../../test/support/fake-github.ts';
import type { Secret } from '../secrets/secret.ts';
import { storeGithubToken } from '../users/github-token.ts';

let fake: FakeGithub;
let api: ApiUnderTest;
let shop: Repository;
let browser: Browser;
let userId: string;

beforeAll(async () => {
  fake = await FakeGithub.start();
  for (const login of ['ada', 'eve']) fake.addUser(login);
  fake.addOrganisation('acme', { ada: 'admin', eve: 'member' });
  shop = await fake.addRepository('ada/shop');
  await fake.addRepository('ada/blog');
  await fake.addRepository('acme/front', { collaborators: ['eve'] });
  const github = fake.settings();
  fake.world.app.setupUrl = 'http://berth.apps.test:8000/github/install/callback';
  api = await startApi({ settings: { github } });
  browser = await signedIn(api.app, api.token);
  ({ id: userId } = await api.prisma.user.findFirstOrThrow());
});
afterAll(async () => {
  await api?.close();
  await fake?.close();
});

beforeEach(async () => {
  await api.prisma.githubInstallation.deleteMany();
  await connect(userId, fake.userToken('ada', null));
});
afterEach(() => {
  fake.heal();
  fake.uninstallAll();
});

/** As after a sign-in with GitHub. */
async function connect(user: string, token: Secret, scopes: string[] = []): Promise<void> {
  await storeGithubToken(api.prisma, api.needs.box, { userId: user, token, scopes });
}

/** To GitHub, where the browser's user installs the App, or changes what it covers. @returns the way back */
async function visitGithub(who: Browser, login: string, returnTo?: string): Promise<string> {
  const query = returnTo === undefined ? '' : `?return_to=${encodeURIComponent(returnTo)}`;
  const leaving = await who.get(`/github/install${query}`);
  expect([leaving.status, leaving.headers['location']]).toEqual([
    302,
    expect.stringMatching(`^${fake.url}/apps/berth-test/installations/new\\?state=[\\w-]{43}$`),
  ]);
  fake.signIn(login);
  const back = await fetch(leaving.headers['location'] ?? '', { redirect: 'manual' });
  const { pathname, search } = new URL(back.headers.get('location') ?? '');
  return `${pathname}${search}`;
}

/** Back from GitHub with that installation, as whoever it is says. */
async function comeBackWith(installation: Installation | number, who = browser) {
  const back = new URL(await visitGithub(who, 'ada'), 'http://b.test');
  const id = typeof installation === 'number' ? installation : installation.id;
  back.searchParams.set('installation_id', String(id));
  return who.get(`${back.pathname}${back.search}`);
}

const bound = () =>
  api.prisma.githubInstallation.findMany({
    where: { userId: { not: null } },
    include: { repositories: true },
  });

describe('installing the GitHub App', () => {
  test('leads to GitHub and back, and the installation is connected', async () => {
    const back = await visitGithub(browser, 'ada', '/ui/apps?new=1');
    const answer = await browser.get(back);
    expect([answer.status, answer.headers['location']]).toEqual([302, '/ui/apps?new=1&github=connected']);
    const [installation] = fake.world.installations;
    expect(await bound()).toMatchObject([
      { id: BigInt(installation?.id ?? 0), userId, accountLogin: 'ada', repositorySelection: 'all' },
    ]);
    expect(
      await api.prisma.auditEvent.findFirst({ where: { action: 'installation.connect' } }),
    ).toMatchObject({
      userId,
      objectId: String(installation?.id),
      detail: { account: 'ada' },
    });

    const list = await browser.get('/github/installations');
    expect(list.body).toEqual({
      items: [
        {
          id: installation?.id,
          account: { login: 'ada', type: 'User' },
          covers: 'all',
          suspended: false,
          manage_url: `${fake.url}/settings/installations/${installation?.id}`,
          created_at: expect.any(String),
        },
      ],
    });
  });

  test('knows the repositories that were chosen', async () => {
    const installation = fake.install('ada', { repositories: [shop] });
    expect((await comeBackWith(installation)).status).toBe(302);
    expect(await bound()).toMatchObject([
      { repositorySelection: 'selected', repositories: [{ fullName: 'ada/shop', isPrivate: true }] },
    ]);
  });

  test('comes back without an installation when an owner has to approve it first', async () => {
    const state = new URL(await visitGithub(browser, 'ada'), 'http://b.test').searchParams.get('state');
    const answer = await browser.get(`/github/install/callback?setup_action=request&state=${state}`);
    expect(answer.headers['location']).toBe('/?github=requested');
    expect(await bound()).toEqual([]);
  });

  test('knows what is chosen later, at GitHub itself, as soon as that leads back here', async () => {
    const installation = fake.install('ada', { repositories: [] });
    await comeBackWith(installation);
    installation.repositories?.add(shop.id);
    const path = `/github/install/callback?installation_id=${installation.id}&setup_action=update`;
    expect((await browser.get(path)).headers['location']).toBe('/?github=updated');
    expect(await bound()).toMatchObject([{ repositories: [{ fullName: 'ada/shop' }] }]);
  });

  test('is for a browser that is signed in', async () => {
    for (const path of ['/github/install', '/github/install/callback?installation_id=1']) {
      expect((await api.call('get', path)).body).toMatchObject({ code: 'session_needed' });
    }
    expect((await browser.get('/github/install?return_to=//evil.test')).body).toMatchObject({
      code: 'invalid_input',
    });
  });
});

describe('T47: coming back counts once, for whoever left, within the hour', () => {
  const nothing = async (path: string, who = browser) => {
    expect((await who.get(path)).body).toMatchObject({ code: 'sign_in_refused', status: 403 });
    expect(await bound()).toEqual([]);
  };

  test('no state, another one, and one that was used', async () => {
    const { id } = fake.install('ada');
    await nothing(`/github/install/callback?installation_id=${id}`);
    await nothing(`/github/install/callback?installation_id=${id}&state=${'a'.repeat(43)}`);
    const back = await visitGithub(browser, 'ada');
    expect((await browser.get(back)).status).toBe(302);
    await api.prisma.githubInstallation.deleteMany();
    await nothing(back);
  });

  test('the state of another user, and one that is too old', async () => {
    const other = await addUser(api.prisma);
    await connect(other.id, fake.userToken('eve', null));
    const stolen = await visitGithub(await signedIn(api.app, other.token), 'eve');
    await nothing(stolen);
    const late = await visitGithub(browser, 'ada');
    await api.prisma.$executeRaw`UPDATE sessions SET expire = now() WHERE sid LIKE 'github-install:%'`;
    await nothing(late);
  });
});

describe('T41: an installation is connected only after GitHub has confirmed it', () => {
  const refused = async (installation: Installation | number, code: string) => {
    expect((await comeBackWith(installation)).body).toMatchObject({ code });
    expect(await bound()).toEqual([]);
  };

  test('not one that does not exist, nor a stranger’s', async () => {
    await refused(1, 'not_found');
    await refused(fake.install('eve'), 'not_found');
  });

  test('not one of an organisation, by a member who sees some of its repositories', async () => {
    await connect(userId, fake.userToken('eve', null));
    await refused(fake.install('acme'), 'forbidden');
  });

  test('but by an owner of the organisation', async () => {
    const acme = fake.install('acme');
    expect((await comeBackWith(acme)).status).toBe(302);
    expect(await bound()).toMatchObject([{ accountLogin: 'acme', accountType: 'Organization' }]);
  });

  test('the token of an OAuth app may not list installations; whose the account is decides', async () => {
    await connect(userId, fake.userToken('ada', ['read:org']), ['read:org']);
    await refused(fake.install('eve'), 'forbidden');
    for (const login of ['ada', 'acme']) {
      const mine =
        fake.world.installations.find(({ account }) => account.login === login) ?? fake.install(login);
      expect((await comeBackWith(mine)).status).toBe(302);
    }
    expect(await bound()).toHaveLength(2);
  });

  test('not without a token of the user, nor with one that was revoked', async () => {
    const mine = fake.install('ada');
    const token = fake.userToken('ada', null);
    await connect(userId, token);
    fake.revoke(token);
    await refused(mine, 'github_not_connected');
    await api.prisma.user.update({ where: { id: userId }, data: { githubToken: null } });
    await refused(mine, 'github_not_connected');
  });

  test('not while another account here has it', async () => {
    const mine = fake.install('ada');
    const other = await addUser(api.prisma);
    await connect(other.id, fake.userToken('ada', null));
    expect((await comeBackWith(mine, await signedIn(api.app, other.token))).status).toBe(302);
    expect((await comeBackWith(mine)).body).toMatchObject({ code: 'installation_taken', status: 409 });
    expect(await bound()).toMatchObject([{ userId: other.id }]);
  });
});

describe('F46', () => {
  test('GitHub that does not answer is said, and nothing is connected', async () => {
    const back = await visitGithub(browser, 'ada');
    fake.goDown();
    expect((await browser.get(back)).body).toMatchObject({ code: 'github_unavailable', status: 502 });
    expect((await browser.get('/github/install')).body).toMatchObject({ code: 'github_unavailable' });
    expect(await bound()).toEqual([]);
  });

  test('GitHub at its limit says until when', async () => {
    fake.fail(/^GET \/app$/, { kind: 'rate_limit', resetInSeconds: 300 });
    expect((await browser.get('/github/install')).body).toMatchObject({
      code: 'github_unavailable',
      detail: expect.stringMatching(/it ends in [45] minutes\. Try again later\.$/),
    });
  });
});

describe('installations that were made at GitHub itself', () => {
  const find = () => api.call('post', '/github/installations');
  const accounts = (body: unknown) =>
    (body as { items: { account: { login: string } }[] }).items
      .map(({ account }) => account.login)
      .toSorted();

  test('are found and connected: those of one’s own accounts, however often asked', async () => {
    for (const login of ['ada', 'acme', 'eve']) fake.install(login);
    const connections = () => api.prisma.auditEvent.count({ where: { action: 'installation.connect' } });
    const before = await connections();
    for (let times = 0; times < 2; times += 1) expect(accounts((await find()).body)).toEqual(['acme', 'ada']);
    expect(await bound()).toHaveLength(2);
    expect(await connections()).toBe(before + 2);
  });

  test('with the token of an OAuth app, out of those that the webhook has told of', async () => {
    await connect(userId, fake.userToken('ada', ['read:org']), ['read:org']);
    const [ada, eve] = [fake.install('ada'), fake.install('eve')];
    for (const { id, account } of [ada, eve]) {
      const facts = { accountId: BigInt(account.id), accountLogin: account.login, accountType: 'User' };
      await api.prisma.githubInstallation.create({
        data: { id: BigInt(id), ...facts, repositorySelection: 'all' },
      });
    }
    expect(accounts((await find()).body)).toEqual(['ada']);
  });
});

describe('disconnecting', () => {
  test('ends it here only; what is another’s is not there', async () => {
    const mine = fake.install('ada');
    await comeBackWith(mine);
    const other = await addUser(api.prisma);
    const path = `/github/installations/${mine.id}`;
    const foreign = await callAs(api.app, other)('delete', path);
    const missing = await callAs(api.app, other)('delete', '/github/installations/1');
    expect([foreign.status, foreign.body.detail]).toEqual([404, missing.body.detail]);
    expect((await callAs(api.app, other)('get', '/github/installations')).body).toEqual({ items: [] });

    expect((await api.call('delete', path)).status).toBe(204);
    expect((await api.call('delete', path)).status).toBe(404);
    expect(await bound()).toEqual([]);
    expect(fake.world.installations).toHaveLength(1);
  });
});

test('without a GitHub App it is said how to set one up', async () => {
  const without = await startApi();
  try {
    const signed = await signedIn(without.app, without.token);
    expect((await signed.get('/github/install')).body).toMatchObject({
      code: 'github_not_configured',
      detail: expect.stringContaining('GITHUB_APP_ID'),
    });
    expect((await without.call('get', '/github/installations')).body).toEqual({ items: [] });
    expect((await without.call('get', '/github/repos')).body).toEqual({ items: [], next_cursor: null });
  } finally {
    await without.close();
  }
});
