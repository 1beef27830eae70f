import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { newId } from '../db/ids.ts';
import { Secret } from '../secrets/secret.ts';
import { newToken, tokenHash, tokenPrefix } from './api-token.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.close());

const get = (path = '/api/v1/apps') => supertest(api.app).get(path);
const withHeader = (value: string) => get().set('Authorization', value);

async function addToken(more: { expiresAt?: Date } = {}): Promise<Secret> {
  const token = newToken();
  const { id: userId } = await api.prisma.user.findFirstOrThrow();
  await api.prisma.apiToken.create({
    data: {
      id: newId(),
      userId,
      name: 't',
      prefix: tokenPrefix(token),
      tokenHash: tokenHash(token),
      ...more,
    },
  });
  return token;
}
const rowOf = (token: Secret) =>
  api.prisma.apiToken.findUniqueOrThrow({ where: { tokenHash: tokenHash(token) } });

describe('T45: who has no valid token gets 401 and is told how to send one', () => {
  test.each<[string, () => supertest.Test]>([
    ['nothing', () => get()],
    ['an empty header', () => withHeader('')],
    ['another scheme', () => withHeader(`Basic ${api.token}`)],
    ['no token', () => withHeader('Bearer')],
    ['something else than a token', () => withHeader('Bearer x')],
    ['an unknown token', () => withHeader(`Bearer ${newToken().reveal()}`)],
    ['one character more', () => withHeader(`Bearer ${api.token}x`)],
    ['another last character', () => withHeader(`Bearer ${api.token.slice(0, -1)}*`)],
    ['its hash', () => withHeader(`Bearer ${tokenHash(new Secret(api.token))}`)],
    ['two', () => withHeader(`Bearer ${api.token} ${api.token}`)],
    ['the token in the query', () => get(`/api/v1/apps?token=${api.token}`)],
  ])('%s', async (_what, send) => {
    const answer = await send();
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="berth"');
    expect(answer.body).toMatchObject({ code: 'unauthorized' });
    expect(answer.text).not.toContain(api.token);
  });

  test('an expired one, by the clock of the database', async () => {
    const soon = await addToken({ expiresAt: new Date(Date.now() + 3_600_000) });
    expect((await withHeader(`Bearer ${soon.reveal()}`)).status).toBe(200);
    const past = await addToken({ expiresAt: new Date(Date.now() - 1_000) });
    expect((await withHeader(`Bearer ${past.reveal()}`)).status).toBe(401);
  });

  test('T74: a removed one, at once', async () => {
    const token = await addToken();
    expect((await withHeader(`bearer ${token.reveal()}`)).status).toBe(200);
    await api.prisma.apiToken.delete({ where: { tokenHash: tokenHash(token) } });
    expect((await withHeader(`Bearer ${token.reveal()}`)).status).toBe(401);
  });

  test('before the body is read: who may not write learns nothing about his input', async () => {
    const answer = await supertest(api.app).post('/api/v1/apps').type('json').send('{not json');
    expect(answer.status).toBe(401);
  });
});

test('T57: the token itself is nowhere in the database', async () => {
  const rows = await api.prisma.$queryRaw<
    { row: string }[]
  >`SELECT row_to_json(t)::text AS row FROM tokens t`;
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.some(({ row }) => row.includes(api.token))).toBe(false);
});

test('the last use is written at most once a minute', async () => {
  const token = await addToken();
  const use = () => withHeader(`Bearer ${token.reveal()}`);
  await use();
  const { lastUsedAt: first } = await rowOf(token);
  expect(first).not.toBeNull();
  await use();
  expect((await rowOf(token)).lastUsedAt).toEqual(first);

  const old = new Date(Date.now() - 61_000);
  await api.prisma.apiToken.update({ where: { tokenHash: tokenHash(token) }, data: { lastUsedAt: old } });
  await use();
  expect((await rowOf(token)).lastUsedAt?.getTime()).toBeGreaterThan(old.getTime());
});
