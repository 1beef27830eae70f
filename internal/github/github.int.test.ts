import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { FakeGithub, type Repository } from '../../test/support/fake-github.ts';
import { Secret } from '../secrets/secret.ts';
import { getUser, isOrganisationOwner, listOrganisations, listUserInstallations } from './accounts.ts';
import { createCommitStatus, createDeployment, findDeployment } from './deployment-reports.ts';
import { createGithub, type Github } from './github.ts';
import type { GithubApp } from './github-app.ts';
import { putHook, removeHook } from './hooks.ts';
import { getRepository, listBranches, listUserRepositories, searchRepositories } from './repositories.ts';
import { repositoryName } from './which-repository.ts';

let fake: FakeGithub;
let github: Github;
let app: GithubApp;
let shop: Repository;
const SHOP = repositoryName('ada', 'shop');

beforeAll(async () => {
  fake = await FakeGithub.start();
  fake.addUser('ada');
  fake.addOrganisation('acme', { ada: 'admin' });
  shop = await fake.addRepository('ada/shop', { files: { 'index.html': 'hi' } });
  github = createGithub(fake.settings());
  if (!github.app) throw new Error('the stand-in has an App');
  app = github.app;
});
afterAll(() => fake?.close());
afterEach(() => fake.heal());

const repoToken = () => fake.userToken('ada', ['repo', 'read:org']);
const failure = (work: Promise<unknown>) => work.then(() => null).catch((error: unknown) => error);

describe('a user', () => {
  test('is named, with repositories in pages', async () => {
    const token = repoToken();
    expect(await getUser(github.call, token)).toEqual({
      id: BigInt(fake.world.account('ada')?.id ?? 0),
      login: 'ada',
    });
    await fake.addRepository('ada/blog');
    const first = await listUserRepositories(github.call, { token, page: 1, perPage: 1 });
    expect(first).toMatchObject({ items: [{ fullName: 'ada/blog', isPrivate: true }], nextPage: 2 });
    const second = await listUserRepositories(github.call, { token, page: 2, perPage: 1 });
    expect(second).toMatchObject({ items: [{ fullName: 'ada/shop' }], nextPage: null });
    expect(second.items[0]?.id).toBe(BigInt(shop.id));
  });

  test('finds repositories by name', async () => {
    const page = { token: repoToken(), page: 1, perPage: 10 };
    const found = await searchRepositories(github.call, page, { text: 'sho', accounts: ['ada', 'acme'] });
    expect(found.items.map(({ fullName }) => fullName)).toEqual(['ada/shop']);
  });

  test('has organisations, and is told to own one or not', async () => {
    const token = repoToken();
    expect(await listOrganisations(github.call, token)).toEqual(['acme']);
    expect(await isOrganisationOwner(github.call, { token, login: 'acme' })).toBe(true);
    expect(await isOrganisationOwner(github.call, { token, login: 'ada' })).toBe(false);
    const narrow = fake.userToken('ada', []);
    expect(await listOrganisations(github.call, narrow)).toEqual([]);
    expect(await isOrganisationOwner(github.call, { token: narrow, login: 'acme' })).toBe(false);
  });

  test('lists installations only with a token of the App’s own sign-in', async () => {
    const installation = fake.install('acme');
    const mine = await listUserInstallations(github.call, fake.userToken('ada', null));
    expect(mine).toMatchObject([
      { id: BigInt(installation.id), account: { login: 'acme' }, suspendedAt: null },
    ]);
    expect(await listUserInstallations(github.call, repoToken())).toBeNull();
    fake.uninstall(installation);
  });
});

describe('the App', () => {
  const requestsForTokens = () => fake.requestsTo(/access_tokens$/).length;

  test('tells its page, and of an installation', async () => {
    expect(await app.pageUrl()).toBe(`${fake.url}/apps/berth-test`);
    const { id } = fake.install('ada', { repositories: [shop] });
    expect(await app.installation(BigInt(id))).toMatchObject({
      account: { login: 'ada', type: 'User' },
      repositorySelection: 'selected',
    });
  });

  test('gets a token for one repository and one purpose, and keeps it', async () => {
    const installation = fake.install('ada');
    const of = { installationId: BigInt(installation.id), purpose: 'clone', repository: 'shop' } as const;
    const before = requestsForTokens();
    const token = await app.token(of);
    expect((await app.token(of)).reveal()).toBe(token.reveal());
    expect(requestsForTokens()).toBe(before + 1);
    expect(fake.world.tokens.get(token.reveal())).toMatchObject({
      kind: 'installation',
      repositories: new Set([shop.id]),
      permissions: { contents: 'read' },
    });
    expect((await app.renewedToken(of)).reveal()).not.toBe(token.reveal());
  });

  test('is refused a token for what is suspended, removed, not covered or not granted', async () => {
    const installation = fake.install('ada', { repositories: [shop], permissions: { contents: 'read' } });
    const of = { installationId: BigInt(installation.id), purpose: 'clone', repository: 'shop' } as const;
    await expect(app.token({ ...of, repository: 'blog' })).rejects.toMatchObject({ reason: 'invalid' });
    await expect(app.token({ ...of, purpose: 'hooks' })).rejects.toMatchObject({ reason: 'not_granted' });
    installation.suspendedAt = new Date();
    await expect(app.token(of)).rejects.toMatchObject({ reason: 'forbidden' });
    fake.uninstall(installation);
    await expect(app.token(of)).rejects.toMatchObject({ reason: 'not_found' });
  });
});

describe('a repository', () => {
  test('is found under its new name, with its branches', async () => {
    const old = await fake.addRepository('ada/old', { files: { a: '1' } });
    fake.rename(old, 'new');
    const token = repoToken();
    const found = await getRepository(github.call, { token, repository: repositoryName('ada', 'old') });
    expect(found).toMatchObject({ fullName: 'ada/new', defaultBranch: 'main' });
    const branches = await listBranches(
      github.call,
      { token, page: 1, perPage: 10 },
      repositoryName('ada', 'new'),
    );
    expect(branches.items).toEqual([{ name: 'main', commitSha: await old.git.head() }]);
  });

  test('gets one webhook, however often it is put, and loses it', async () => {
    const access = { token: repoToken(), repository: SHOP };
    const hook = { url: 'https://b.test/webhooks/github/x', secret: new Secret('first') };
    const id = await putHook(github.call, access, hook);
    expect(await putHook(github.call, access, { ...hook, secret: new Secret('second') })).toBe(id);
    expect(fake.hooksOf(shop)).toMatchObject([
      { active: true, events: ['push', 'pull_request'], config: { content_type: 'json', secret: 'second' } },
    ]);
    await removeHook(github.call, access, id);
    await removeHook(github.call, access, id);
    expect(fake.hooksOf(shop)).toEqual([]);
  });

  test('is told of a deployment, which is found again by its mark', async () => {
    const access = { token: repoToken(), repository: SHOP };
    const sha = await shop.git.head();
    const status = {
      sha,
      state: 'pending',
      context: 'berth/shop',
      description: 'Waits',
      targetUrl: 'http://b.test',
    } as const;
    await createCommitStatus(github.call, access, status);
    expect(fake.statusesOf(shop)).toMatchObject([{ sha, state: 'pending', description: 'Waits' }]);
    const deployment = { sha, environment: 'shop', description: 'Berth', mark: 'abcdefghij' };
    const id = await createDeployment(github.call, access, deployment);
    expect(await findDeployment(github.call, access, deployment)).toBe(id);
    expect(await findDeployment(github.call, access, { ...deployment, mark: 'other' })).toBeNull();
  });
});

describe('F46: GitHub that does not answer as it should', () => {
  const impatient = () => createGithub(fake.settings(), { deadlineMs: 300 });
  const ask = (token = repoToken()) => failure(getUser(github.call, token));

  test.each([
    ['breaks the connection', { kind: 'reset' }, 'GitHub cannot be reached.'],
    ['has an error', { kind: 'status', status: 502 }, 'GitHub has trouble of its own (HTTP 502).'],
    ['sends a page', { kind: 'html', status: 200 }, 'GitHub answered something that cannot be read.'],
  ] as const)('it %s: unavailable, so that one may try again', async (_what, fault, message) => {
    fake.fail(/^GET \/user$/, fault);
    expect(await ask()).toMatchObject({ name: 'GithubUnavailable', reason: 'outage', message });
  });

  test('it hangs: given up at the deadline', async () => {
    fake.fail(/^GET \/user$/, { kind: 'hang' });
    const token = repoToken();
    const error = await failure(getUser(impatient().call, token));
    expect(error).toMatchObject({ name: 'GithubUnavailable', message: 'GitHub did not answer in time.' });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token.reveal());
  });

  test('at its limit it says for how long', async () => {
    fake.fail(/^GET \/user$/, { kind: 'secondary_limit', retryAfterSeconds: 30 });
    expect(await ask()).toMatchObject({ reason: 'rate_limited', retryAfterSeconds: 30 });
  });

  test('a revoked token is refused', async () => {
    const token = repoToken();
    fake.revoke(token);
    expect(await ask(token)).toMatchObject({ name: 'GithubRefused', reason: 'unauthorized' });
  });

  test('also while it gives out tokens', async () => {
    const { id } = fake.install('ada');
    fake.fail(/access_tokens$/, { kind: 'hang' });
    const of = { installationId: BigInt(id), purpose: 'read', repository: null } as const;
    expect(await failure(impatient().app?.token(of) ?? Promise.resolve())).toMatchObject({
      name: 'GithubUnavailable',
    });
  });
});

describe('T09: a token', () => {
  let elsewhere: Server;
  const seen: unknown[] = [];
  beforeAll(async () => {
    elsewhere = createServer((request, response) => {
      seen.push(request.headers);
      response.end('{}');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => elsewhere.close(resolve)));

  test('goes to no other host by a redirect', async () => {
    const to = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/user`;
    fake.fail(/^GET \/user$/, { kind: 'redirect', to });
    expect(await failure(getUser(github.call, repoToken()))).toMatchObject({ reason: 'moved' });
    expect(seen).toEqual([]);
  });

  test('is not resent by a redirect that turns a POST into a GET', async () => {
    const access = { token: repoToken(), repository: repositoryName('ada', 'old') };
    const work = createDeployment(github.call, access, {
      sha: 'x',
      environment: 'e',
      description: '',
      mark: 'm',
    });
    expect(await failure(work)).toMatchObject({ reason: 'moved' });
  });

  test('is in no error, whatever went wrong', async () => {
    const token = repoToken();
    for (const fault of [
      { kind: 'reset' },
      { kind: 'html', status: 500 },
      { kind: 'status', status: 422, message: 'Nope' },
    ] as const) {
      fake.fail(/./, fault);
      const error = await failure(getUser(github.call, token));
      expect(error).not.toBeNull();
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token.reveal());
    }
  });
});
