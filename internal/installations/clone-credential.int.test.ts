import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { FakeGithub, type Installation, type Repository } from '../../test/support/fake-github.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import type { App, PrismaClient } from '../db/database.ts';
import { createGithub } from '../github/github.ts';
import { getRepository } from '../github/repositories.ts';
import { repositoryName } from '../github/which-repository.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import { Secret } from '../secrets/secret.ts';
import { storeGithubToken } from '../users/github-token.ts';
import { sourceCredentials } from './clone-credential.ts';
import { replaceRepositories } from './installation-store.ts';
import { type TokenNeeds, withRepositoryToken } from './repository-token.ts';

let testDatabase: TestDatabase;
let prisma: PrismaClient;
let fake: FakeGithub;
let shop: Repository;
let needs: TokenNeeds;
const box = new SealedBox(newKey());

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  prisma = testDatabase.database.prisma;
  fake = await FakeGithub.start();
  for (const login of ['ada', 'eve']) fake.addUser(login);
  shop = await fake.addRepository('ada/shop', { files: { a: '1' } });
  needs = { prisma, box, github: createGithub(fake.settings()) };
});
afterAll(async () => {
  await fake?.close();
  await testDatabase?.close();
});

let app: App;
let userId: string;
beforeEach(async () => {
  app = await seedApp(prisma);
  ({ userId } = await prisma.project.findUniqueOrThrow({ where: { id: app.projectId } }));
});
afterEach(async () => {
  fake.heal();
  fake.uninstallAll();
  await prisma.githubInstallation.deleteMany();
});

/** As after its events and its connection with that user. */
async function install(
  of: { repositories?: Repository[]; userId?: string | null } = {},
): Promise<Installation> {
  const installation = fake.install('ada', of.repositories ? { repositories: of.repositories } : {});
  const id = BigInt(installation.id);
  await prisma.githubInstallation.create({
    data: {
      id,
      accountId: BigInt(installation.account.id),
      accountLogin: 'Ada',
      accountType: 'User',
      repositorySelection: of.repositories ? 'selected' : 'all',
      userId: of.userId === undefined ? userId : of.userId,
    },
  });
  const covered = (of.repositories ?? []).map((one) => ({
    id: BigInt(one.id),
    fullName: `ada/${one.name}`,
    isPrivate: true,
  }));
  await replaceRepositories(prisma, id, covered);
  return installation;
}

async function giveToken(scopes: string[], token = fake.userToken('ada', scopes)): Promise<string> {
  await storeGithubToken(prisma, box, { userId, token, scopes });
  return token.reveal();
}

async function giveDeployKey(): Promise<void> {
  const deployKeyPrivate = box.seal('the key', sealContext('services.deploy_key_private', app.id));
  await prisma.app.update({ where: { id: app.id }, data: { deployKeyPrivate } });
}

/** With the secret in plain: to a comparison all secrets are equal. */
async function find(repoUrl = fake.cloneUrl(shop)) {
  const found = await sourceCredentials(needs).find({ userId, appId: app.id, repoUrl });
  if (found.kind === 'token') return { ...found, token: found.token.reveal() };
  return found.kind === 'ssh_key' ? { ...found, privateKey: found.privateKey.reveal() } : found;
}

describe('a clone is done with', () => {
  test('a token of the installation that covers the repository, for it alone and to read', async () => {
    await giveToken(['repo']);
    await giveDeployKey();
    const installation = await install({ repositories: [shop] });
    const found = await find();
    expect(found).toMatchObject({
      kind: 'token',
      origin: fake.url,
      userName: 'x-access-token',
      via: 'installation',
    });
    expect(found.kind === 'token' && fake.world.tokens.get(found.token)).toEqual({
      kind: 'installation',
      installation,
      repositories: new Set([shop.id]),
      permissions: { contents: 'read' },
    });
  });

  test('a token of an installation that covers it by now, or under its new name, though nobody told', async () => {
    await install({ repositories: [shop] });
    fake.rename(shop, 'store');
    expect(await find()).toMatchObject({ kind: 'token', via: 'installation' });
    fake.rename(shop, 'shop');
    fake.world.formerNames.clear();
  });

  test('the owner’s own token, when no installation covers it', async () => {
    await install({ repositories: [] });
    const token = await giveToken(['repo', 'read:org']);
    await giveDeployKey();
    expect(await find()).toEqual({
      kind: 'token',
      origin: fake.url,
      userName: 'x-access-token',
      token,
      via: 'user',
    });
  });

  test('the owner’s token of the App’s own sign-in, which has no scopes', async () => {
    const token = await giveToken([], fake.userToken('ada', null));
    expect(await find()).toMatchObject({ kind: 'token', token, via: 'user' });
  });

  test('the deploy key of the app, when there is no token for it', async () => {
    await giveToken(['read:org']);
    await giveDeployKey();
    expect(await find()).toEqual({ kind: 'ssh_key', privateKey: 'the key' });
    expect(await find('https://gitlab.com/ada/shop')).toMatchObject({ kind: 'ssh_key' });
  });

  test('nothing, and it says why', async () => {
    await giveToken(['read:org']);
    expect(await find()).toEqual({ kind: 'none', why: 'not_connected' });
    expect(await find('https://gitlab.com/ada/shop')).toEqual({ kind: 'none', why: 'other_host' });
  });
});

describe('T05: another host gets nothing', () => {
  test.each([
    'https://gitlab.com/ada/shop',
    'http://127.0.0.1:1/ada/shop.git',
    'https://github.com/ada/shop',
  ])('%s', async (repoUrl) => {
    await giveToken(['repo']);
    await install();
    expect(await find(repoUrl)).toEqual({ kind: 'none', why: 'other_host' });
  });
});

describe('T41: an installation is of use to nobody but whom it is bound to', () => {
  test.each([
    ['nobody', null],
    ['somebody else', 'other'],
  ])('bound to %s', async (_whom, whose) => {
    const other =
      whose &&
      (await prisma.project.findUniqueOrThrow({ where: { id: (await seedApp(prisma)).projectId } })).userId;
    await install({ userId: other });
    expect(await find()).toEqual({ kind: 'none', why: 'not_connected' });
  });
});

describe('F46', () => {
  test('an installation that GitHub no longer knows, or has suspended, is passed over', async () => {
    const installation = await install();
    const token = await giveToken(['repo']);
    installation.suspendedAt = new Date();
    expect(await find()).toMatchObject({ token, via: 'user' });
    fake.uninstall(installation);
    expect(await find()).toMatchObject({ token, via: 'user' });
  });

  test('GitHub that does not answer is no hindrance for a public repository', async () => {
    await install();
    fake.fail(/access_tokens$/, { kind: 'status', status: 503 });
    expect(await find()).toEqual({ kind: 'none', why: 'github_unavailable' });
    const token = await giveToken(['repo']);
    expect(await find()).toMatchObject({ token, via: 'user' });
  });

  test('a kept token that was revoked is renewed', async () => {
    await install();
    const access = { userId, repository: repositoryName('ada', 'shop'), purpose: 'read' } as const;
    const first = await withRepositoryToken(needs, access, async (token) => token);
    fake.revoke(first ?? new Secret(''));
    const repository = await withRepositoryToken(needs, access, (token) =>
      getRepository(needs.github.call, { token, repository: access.repository }),
    );
    expect(repository).toMatchObject({ fullName: 'ada/shop' });
  });
});
