import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { addUser, callAs } from '../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { FakeGithub, type Installation, type Repository } from '../../test/support/fake-github.ts';
import type { Secret } from '../secrets/secret.ts';
import { storeGithubToken } from '../users/github-token.ts';
import { replaceRepositories } from './installation-store.ts';

let fake: FakeGithub;
let api: ApiUnderTest;
let userId: string;
const repositories = new Map<string, Repository>();

beforeAll(async () => {
  fake = await FakeGithub.start();
  for (const login of ['ada', 'eve']) fake.addUser(login);
  fake.addOrganisation('acme', { ada: 'admin' });
  for (const name of ['ada/shop', 'ada/blog', 'ada/notes', 'acme/front', 'acme/back', 'eve/diary']) {
    repositories.set(name, await fake.addRepository(name, { files: { a: '1' } }));
  }
  api = await startApi({ settings: { github: fake.settings() } });
  ({ id: userId } = await api.prisma.user.findFirstOrThrow());
});
afterAll(async () => {
  await api?.close();
  await fake?.close();
});
beforeEach(async () => {
  await api.prisma.githubInstallation.deleteMany();
  await api.prisma.user.updateMany({ data: { githubToken: null, githubScopes: [] } });
});
afterEach(() => {
  fake.heal();
  fake.uninstallAll();
});

const repository = (name: string): Repository => {
  const found = repositories.get(name);
  if (!found) throw new Error(`no repository ${name}`);
  return found;
};

/** Installed, and connected with the owner here. */
async function install(login: string, names?: readonly string[]): Promise<Installation> {
  const chosen = names?.map(repository);
  const installation = fake.install(login, chosen ? { repositories: chosen } : {});
  const { id, account } = installation;
  await api.prisma.githubInstallation.create({
    data: {
      id: BigInt(id),
      accountId: BigInt(account.id),
      accountLogin: login,
      accountType: account.type,
      repositorySelection: chosen ? 'selected' : 'all',
      userId,
    },
  });
  const covered = (chosen ?? []).map((one) => ({
    id: BigInt(one.id),
    fullName: `${login}/${one.name}`,
    isPrivate: true,
  }));
  await replaceRepositories(api.prisma, BigInt(id), covered);
  return installation;
}

async function signInAs(login: string, scopes: string[]): Promise<Secret> {
  const token = fake.userToken(login, scopes);
  await storeGithubToken(api.prisma, api.needs.box, { userId, token, scopes });
  return token;
}

interface Page {
  readonly items: readonly { full_name: string; installation_id: number | null }[];
  readonly next_cursor: string | null;
}

/** All pages, one after the other. */
async function browse(query = ''): Promise<Page['items']> {
  const all: Page['items'][number][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const answer = await api.call('get', `/github/repos?${query}${cursor && `&cursor=${cursor}`}`);
    expect([answer.status, answer.body.detail]).toEqual([200, undefined]);
    const page = answer.body as Page;
    all.push(...page.items);
    cursor = page.next_cursor;
  }
  return all;
}
const names = async (query = '') => (await browse(query)).map((one) => one.full_name);

describe('repositories to choose from', () => {
  test('are those of each installation, then one’s own that no installation covers', async () => {
    const acme = await install('acme');
    const ada = await install('ada', ['ada/shop']);
    await signInAs('ada', ['repo']);
    expect((await browse()).map((one) => [one.full_name, one.installation_id])).toEqual([
      ['acme/back', acme.id],
      ['acme/front', acme.id],
      ['ada/shop', ada.id],
      ['ada/notes', null],
      ['ada/blog', null],
    ]);
  });

  test('come in pages', async () => {
    await install('acme');
    await signInAs('ada', ['repo']);
    const first = (await api.call('get', '/github/repos?limit=1')).body as Page;
    expect(first.items).toHaveLength(1);
    expect(await names('limit=1')).toEqual(await names());
    expect((await api.call('get', '/github/repos?cursor=eyJ4Ijox')).body).toMatchObject({
      code: 'invalid_input',
    });
  });

  test('are found by a part of their name, over all of them', async () => {
    await install('acme');
    await install('ada', ['ada/shop']);
    await signInAs('ada', ['repo', 'read:org']);
    expect(await names('q=b')).toEqual(['acme/back', 'ada/blog']);
    expect(await names('q=SHOP')).toEqual(['ada/shop']);
    for (const q of ['user%3Aeve', 'a%20b', '', 'a%2Fb']) {
      expect((await api.call('get', `/github/repos?q=${q}`)).body).toMatchObject({ code: 'invalid_input' });
    }
  });

  test('a search shows no public repository that an installation does not cover', async () => {
    const open = await fake.addRepository('acme/open', { isPrivate: false });
    await install('acme', ['acme/front']);
    expect(await names('q=o')).toEqual(['acme/front']);
    fake.world.repositories.splice(fake.world.repositories.indexOf(open), 1);
  });

  test('without the scope repo one’s own are not among them', async () => {
    await signInAs('ada', ['read:org']);
    expect(await names()).toEqual([]);
  });

  test('tell what is needed to choose', async () => {
    const installation = await install('ada', ['ada/shop']);
    const [shop] = await browse();
    expect(shop).toEqual({
      full_name: 'ada/shop',
      private: true,
      archived: false,
      default_branch: 'main',
      clone_url: fake.cloneUrl(repository('ada/shop')),
      description: null,
      pushed_at: expect.stringMatching(/Z$/),
      installation_id: installation.id,
    });
  });

  test('T41: nothing of another user’s installations', async () => {
    await install('acme');
    const other = await addUser(api.prisma);
    expect((await callAs(api.app, other)('get', '/github/repos')).body).toEqual({
      items: [],
      next_cursor: null,
    });
  });
});

describe('F46', () => {
  test('an installation that was removed or suspended is passed over', async () => {
    const acme = await install('acme');
    const ada = await install('ada', ['ada/shop']);
    fake.uninstall(acme);
    expect(await names()).toEqual(['ada/shop']);
    ada.suspendedAt = new Date();
    expect(await names()).toEqual([]);
  });

  test('a revoked sign-in is said, when it is all there is', async () => {
    fake.revoke(await signInAs('ada', ['repo']));
    const alone = await api.call('get', '/github/repos');
    expect(alone.body).toMatchObject({ code: 'github_not_connected', status: 409 });
    await install('acme', ['acme/front']);
    expect(await names()).toEqual(['acme/front']);
  });

  test('GitHub that does not answer is no empty list', async () => {
    await install('acme');
    fake.goDown();
    expect((await api.call('get', '/github/repos')).body).toMatchObject({ code: 'github_unavailable' });
  });
});

describe('branches', () => {
  const branches = (name: string, query = '') => api.call('get', `/github/repos/${name}/branches${query}`);

  test('of a repository that an installation covers, in pages', async () => {
    await install('ada', ['ada/shop']);
    const shop = repository('ada/shop');
    const sha = await shop.git.commit({ b: '2' }, 'On a branch', 'feature/x');
    const first = await branches('ada/shop', '?limit=1');
    expect(first.body).toEqual({
      items: [{ name: 'feature/x', commit_sha: sha }],
      next_cursor: expect.any(String),
    });
    const second = await branches('Ada/Shop', `?limit=1&cursor=${(first.body as Page).next_cursor}`);
    expect(second.body).toEqual({
      items: [{ name: 'main', commit_sha: await shop.git.head() }],
      next_cursor: null,
    });
  });

  test('of a public one, with any sign-in', async () => {
    const open = await fake.addRepository('eve/open', { files: { a: '1' }, isPrivate: false });
    await signInAs('ada', []);
    expect((await branches('eve/open')).body).toMatchObject({
      items: [{ name: 'main', commit_sha: await open.git.head() }],
    });
  });

  test('of one that is not there, or not shown: 404', async () => {
    await signInAs('ada', ['repo']);
    for (const name of ['ada/nothing', 'eve/diary', 'acme/..%2Fx']) {
      expect((await branches(name)).status).toBe(404);
    }
    await api.prisma.user.updateMany({ data: { githubToken: null } });
    expect((await branches('ada/shop')).body).toMatchObject({ code: 'not_found' });
  });
});
