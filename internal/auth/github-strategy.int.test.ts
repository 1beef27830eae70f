import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { FakeGithub } from '../../test/support/fake-github.ts';
import { githubStrategy } from './github-strategy.ts';
import { Handshakes } from './handshakes.ts';

let github: FakeGithub;
let database: TestDatabase;
beforeAll(async () => {
  github = await FakeGithub.start();
  github.addUser('octocat');
  database = await createTestDatabase();
});
afterAll(async () => {
  await github?.close();
  await database?.close();
});

test('a GitHub that takes the request and never answers is given up', async () => {
  const { oauth, ...settings } = github.settings();
  if (!oauth) throw new Error('no sign-in is set up');
  const handshakes = new Handshakes(database.database.prisma, { name: 'berth', isSecure: false });
  const profile = (deadlineMs?: number) => {
    const strategy = githubStrategy({ ...settings, oauth }, handshakes, deadlineMs);
    return new Promise<unknown>((settled) => {
      const token = github.userToken('octocat', []).reveal();
      strategy.userProfile(token, (error, found) => settled(error ?? found));
    });
  };
  expect(await profile()).toMatchObject({ username: 'octocat' });
  github.fail(/GET \/user$/, { kind: 'hang' }, 1);
  expect(await profile(50)).toMatchObject({ name: 'InternalOAuthError' });
});
