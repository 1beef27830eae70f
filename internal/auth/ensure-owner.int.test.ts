import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { PrismaClient } from '../db/database.ts';
import { defaultProject } from '../projects/project-store.ts';
import { Secret } from '../secrets/secret.ts';
import { tokenHash } from './api-token.ts';
import { ensureOwner } from './ensure-owner.ts';

let testDatabase: TestDatabase;
let prisma: PrismaClient;
let directory: string;
let tokenFile: string;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  prisma = testDatabase.database.prisma;
  directory = await mkdtemp(join(tmpdir(), 'berth-owner-'));
  tokenFile = join(directory, 'admin-token');
});
afterEach(async () => {
  await testDatabase.close();
  await rm(directory, { recursive: true, force: true });
});

const ensure = () => ensureOwner({ prisma, tokenFile, ensureProject: defaultProject });

test('T49: the first start makes an owner, the project `default`, and a token only they can read', async () => {
  expect(await ensure()).toEqual({ created: true });
  const owner = await prisma.user.findFirstOrThrow({ include: { projects: true, tokens: true } });
  expect(owner).toMatchObject({
    role: 'owner',
    hash: expect.stringMatching(/^[a-z2-7]{6}$/),
    projects: [{ name: 'default', networkName: `${owner.hash}-default` }],
  });
  const token = (await readFile(tokenFile, 'utf8')).trim();
  expect(token).toMatch(/^berth_[A-Za-z0-9_-]{43}$/);
  expect(owner.tokens).toMatchObject([
    { tokenHash: tokenHash(new Secret(token)), prefix: token.slice(0, 12), expiresAt: null },
  ]);
  expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
});

test('later starts change nothing, also several at once', async () => {
  await Promise.all([1, 2, 3, 4].map(() => ensure()));
  const text = await readFile(tokenFile, 'utf8');
  expect(await ensure()).toEqual({ created: false });
  expect(await readFile(tokenFile, 'utf8')).toBe(text);
  expect(await prisma.user.count()).toBe(1);
  expect(await prisma.apiToken.count()).toBe(1);
});

test('a fresh database takes over the token that is kept in the file', async () => {
  const kept = `berth_${'k'.repeat(43)}`;
  await writeFile(tokenFile, `${kept}\n`, { mode: 0o600 });
  expect(await ensure()).toEqual({ created: true });
  expect(await prisma.apiToken.findMany()).toMatchObject([{ tokenHash: tokenHash(new Secret(kept)) }]);
});

test('a removed file does not make another token', async () => {
  await ensure();
  await rm(tokenFile);
  expect(await ensure()).toEqual({ created: false });
  expect(await prisma.apiToken.count()).toBe(1);
  await expect(stat(tokenFile)).rejects.toThrow('ENOENT');
});

test('a file that holds something else is left alone and said', async () => {
  await writeFile(tokenFile, 'hello');
  await expect(ensure()).rejects.toThrow('holds no API token');
  expect(await readFile(tokenFile, 'utf8')).toBe('hello');
  expect(await prisma.apiToken.count()).toBe(0);
});
