import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { webhookExamples } from '../../test/support/fake-github.ts';
import type { PrismaClient } from '../db/database.ts';
import { newId, newUserHash } from '../db/ids.ts';
import { repositoryName } from '../github/which-repository.ts';
import { readInstallationEvent } from './installation-event.ts';
import { findCandidates } from './installation-store.ts';
import { recordInstallation } from './record-installation.ts';

let testDatabase: TestDatabase;
let prisma: PrismaClient;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  prisma = testDatabase.database.prisma;
});
afterAll(() => testDatabase?.close());
beforeEach(() => prisma.githubInstallation.deleteMany());

/** Of those that GitHub published, with other facts in places. */
function example(event: string, action: string, changes: object = {}): object {
  const found = webhookExamples(event).find((one) => (one as { action: string }).action === action);
  return { ...(found as object), ...changes };
}
const record = (event: string, payload: unknown) =>
  prisma.$transaction((tx) => recordInstallation(tx, { event, payload }));
const stored = () =>
  prisma.githubInstallation.findMany({ include: { repositories: true }, orderBy: { id: 'asc' } });

const ID = 957387n;
const HELLO = {
  installationId: ID,
  repositoryId: 186853002n,
  fullName: 'codertocat/hello-world',
  isPrivate: false,
};
const repository = (id: number, name: string) => ({ id, full_name: name, private: true });

describe('every example that GitHub published of', () => {
  test.each(['installation', 'installation_repositories'])(
    '%s is understood and can be recorded',
    async (event) => {
      const examples = webhookExamples(event);
      expect(examples.length).toBeGreaterThan(2);
      for (const payload of examples) {
        expect(readInstallationEvent(event, payload)).not.toBeNull();
        await record(event, payload);
      }
    },
  );
});

describe('an installation', () => {
  test('that is made is kept with its repositories, bound to nobody, and once however often told', async () => {
    for (let times = 0; times < 2; times += 1)
      await record('installation', example('installation', 'created'));
    expect(await stored()).toMatchObject([
      {
        id: ID,
        accountId: 21031067n,
        accountLogin: 'Codertocat',
        accountType: 'User',
        repositorySelection: 'selected',
        suspendedAt: null,
        userId: null,
        repositories: [HELLO],
      },
    ]);
  });

  test('gains and loses repositories', async () => {
    await record('installation', example('installation', 'created'));
    const event = 'installation_repositories';
    const added = [repository(7, 'Codertocat/Shop'), repository(8, 'Codertocat/Blog')];
    await record(event, example(event, 'added', { repositories_added: added }));
    const names = async () => (await stored())[0]?.repositories.map(({ fullName }) => fullName).toSorted();
    expect(await names()).toEqual(['codertocat/blog', 'codertocat/hello-world', 'codertocat/shop']);
    const installation = (example('installation', 'created') as { installation: object }).installation;
    const removed = { installation, repositories_removed: [repository(8, 'Codertocat/Blog')] };
    await record(event, example(event, 'removed', removed));
    expect(await names()).toEqual(['codertocat/hello-world', 'codertocat/shop']);
  });

  test('that is not known yet is known after its repositories change', async () => {
    await record('installation_repositories', example('installation_repositories', 'added'));
    expect(await stored()).toMatchObject([{ id: ID, userId: null, repositories: [{ isPrivate: false }] }]);
  });

  test('is suspended, unsuspended and removed', async () => {
    await record('installation', example('installation', 'suspend'));
    expect(await stored()).toMatchObject([{ suspendedAt: new Date('2021-04-29T02:32:50Z') }]);
    await record('installation', example('installation', 'unsuspend'));
    expect(await stored()).toMatchObject([{ suspendedAt: null }]);
    const { installation } = example('installation', 'suspend') as { installation: object };
    await record('installation', example('installation', 'deleted', { installation }));
    expect(await stored()).toEqual([]);
  });

  test('keeps whose it is, whatever GitHub tells', async () => {
    await record('installation', example('installation', 'created'));
    const user = await prisma.user.create({ data: { id: newId(), hash: newUserHash(), name: 'ada' } });
    await prisma.githubInstallation.update({ where: { id: ID }, data: { userId: user.id } });
    await record('installation', example('installation', 'new_permissions_accepted'));
    expect(await stored()).toMatchObject([{ userId: user.id, repositorySelection: 'all' }]);
  });
});

test('what has another shape is passed over', async () => {
  await record('installation', { action: 'created' });
  await record('installation_repositories', null);
  await record('push', example('installation', 'created'));
  expect(await stored()).toEqual([]);
});

describe('a repository may be covered', () => {
  const candidates = (userId: string, fullName: string) => {
    const [owner = '', name = ''] = fullName.split('/');
    return findCandidates(prisma, userId, repositoryName(owner, name)).then((found) =>
      found.map(({ row, isKnown }) => [row.id, isKnown]),
    );
  };

  test('by its name or its owner; for the user whose the installation is; not while suspended', async () => {
    await record('installation', example('installation', 'created'));
    const user = await prisma.user.create({ data: { id: newId(), hash: newUserHash(), name: 'ada' } });
    expect(await candidates(user.id, 'Codertocat/Hello-World')).toEqual([]);
    const change = (data: object) => prisma.githubInstallation.update({ where: { id: ID }, data });
    await change({ userId: user.id });
    expect(await candidates(user.id, 'CODERTOCAT/hello-world')).toEqual([[ID, true]]);
    // Chosen, or renamed, since we heard last.
    expect(await candidates(user.id, 'codertocat/other')).toEqual([[ID, false]]);
    await change({ repositorySelection: 'all' });
    expect(await candidates(user.id, 'codertocat/other')).toEqual([[ID, true]]);
    expect(await candidates(user.id, 'someone/hello-world')).toEqual([]);
    expect(await candidates(user.id, 'coderto_at/other')).toEqual([]);
    // The account was renamed since.
    await change({ accountLogin: 'former' });
    expect(await candidates(user.id, 'codertocat/hello-world')).toEqual([[ID, true]]);
    await change({ suspendedAt: new Date() });
    expect(await candidates(user.id, 'codertocat/hello-world')).toEqual([]);
  });
});
