import { afterEach, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { addUser, callAs } from '../../../test/support/another-user.ts';
import { type ApiUnderTest, startApi } from '../../../test/support/api-under-test.ts';
import { createTestDatabase } from '../../../test/support/database.ts';
import { EventReader } from '../../../test/support/event-reader.ts';
import { freePorts } from '../../../test/support/free-ports.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import type { RateLimits as Limits } from '../../config/config.ts';
import { openDatabase } from '../../db/database.ts';
import { createLogger } from '../../logger/logger.ts';
import type { Caller } from '../../openapi/operation.ts';
import { Secret } from '../../secrets/secret.ts';
import { type Listening, listen } from '../listen.ts';
import { RateLimits } from './rate-limits.ts';

const PLENTY: Limits = {
  requests: 10_000,
  deploys: 10_000,
  signIns: 10_000,
  webhooks: 10_000,
  streamsPerUser: 100,
};
/** Like the real ones: whoever connects from loopback is no proxy, so that addresses can be told apart. */
const NO_PROXY = ['192.0.2.1'];

const CALLER: Caller = {
  userId: 'h5cwq3mz7e',
  userHash: 'k4tqzp',
  role: 'member',
  via: 'token',
  tokenId: null,
  scope: 'deploy',
};

let api: ApiUnderTest;
let started: ApiUnderTest | null = null;
afterEach(async () => {
  await started?.close();
  started = null;
});

async function start(limits: Partial<Limits>, trustedProxies = NO_PROXY): Promise<void> {
  api = await startApi({ settings: { rateLimits: { ...PLENTY, ...limits }, trustedProxies } });
  started = api;
}
async function statusesOf(times: number, ask: (index: number) => supertest.Test): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < times; index += 1) statuses.push((await ask(index)).status);
  return statuses;
}
const tally = (statuses: readonly number[]) =>
  Object.fromEntries([...new Set(statuses)].map((one) => [one, statuses.filter((s) => s === one).length]));

function expectLimited(answer: supertest.Response): void {
  expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const seconds = Number(answer.headers['retry-after']);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(answer.body.detail).toContain(`Try again in ${seconds} s`);
}

describe('T54: so many in a minute', () => {
  test('requests of one user, whatever they ask; others are not concerned', async () => {
    await start({ requests: 5 });
    expect(await statusesOf(5, () => api.call('get', '/apps'))).toEqual([200, 200, 200, 200, 200]);
    expectLimited(await api.call('get', '/apps'));
    expectLimited(await api.call('get', '/auth/me'));
    const other = await addUser(api.prisma);
    expect((await callAs(api.app, other)('get', '/apps')).status).toBe(200);
    expect((await supertest(api.app).get('/health')).status).toBe(200);
  });

  test('deployments: of 100 in a minute 60 are taken; the rest is told when to come back', async () => {
    await start({ deploys: 60 });
    const app = { name: 'front', repo_url: 'https://github.com/acme/front', deploy: false };
    const { body } = await api.call('post', '/apps').send(app);
    const statuses = await statusesOf(100, () => api.call('post', `/apps/${body.id}/deploy`).send({}));
    // Making the app has counted, too.
    expect(tally(statuses)).toEqual({ 202: 59, 429: 41 });
    expectLimited(await api.call('post', '/apps').send({ ...app, name: 'other' }));
    expect(await api.prisma.deployment.count()).toBeLessThanOrEqual(59);
    expect((await api.call('get', '/apps')).status).toBe(200);
  });

  test('wrong tokens from one address; a right one always passes', async () => {
    await start({ signIns: 3 });
    const wrong = () => supertest(api.app).get('/api/v1/apps').set('Authorization', 'Bearer berth_wrong');
    expect(await statusesOf(3, wrong)).toEqual([401, 401, 401]);
    expectLimited(await wrong());
    expect((await api.call('get', '/apps')).status).toBe(200);
    expect((await supertest(api.app).get('/api/v1/apps')).status).toBe(401);
    expectLimited(await wrong());
  });

  test('sign-ins from one address, right ones too', async () => {
    await start({ signIns: 3 });
    const signIn = () => api.call('post', '/auth/session');
    expect(await statusesOf(3, signIn)).toEqual([200, 200, 200]);
    expectLimited(await signIn());
    expect(await api.prisma.session.count()).toBe(3);
  });
});

describe('T53: who the client is', () => {
  test('200 sign-ins with changing X-Forwarded-For are one client’s, when no proxy of ours says so', async () => {
    await start({ signIns: 20 });
    const statuses = await statusesOf(200, (index) =>
      supertest(api.app)
        .post('/auth/session')
        .set({ Authorization: 'Bearer berth_wrong', 'X-Forwarded-For': `203.0.113.${index}` }),
    );
    expect(tally(statuses)).toEqual({ 401: 20, 429: 180 });
  });

  test('behind a trusted proxy it is who the proxy has seen, not what the client says before it', async () => {
    await start({ signIns: 2 }, ['loopback']);
    const from = (forwarded: string) =>
      supertest(api.app)
        .post('/auth/session')
        .set({ Authorization: 'Bearer berth_wrong', 'X-Forwarded-For': forwarded });
    expect(await statusesOf(2, (index) => from(`198.51.100.${index}, 203.0.113.7`))).toEqual([401, 401]);
    expect((await from('198.51.100.9, 203.0.113.7')).status).toBe(429);
    expect((await from('203.0.113.8')).status).toBe(401);
  });
});

describe('T54: so many streams at a time', () => {
  const readers: EventReader[] = [];
  let server: Listening;
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await server.close(0);
  });
  const follow = (id: string): EventReader => {
    const headers = { authorization: `Bearer ${api.token}` };
    const reader = new EventReader({ port: server.port, path: `/apps/${id}/logs/stream`, headers });
    readers.push(reader);
    return reader;
  };

  test('the 101st of a user is refused, until one of them has ended', async () => {
    await start({ streamsPerUser: 100 });
    server = await listen(api.app, { port: 0, address: '127.0.0.1' });
    const app = { name: 'front', repo_url: 'https://github.com/acme/front', deploy: false };
    const { body } = await api.call('post', '/apps').send(app);
    const path = `/apps/${body.id}/logs/stream`;
    for (let count = 0; count < 100; count += 1) follow(body.id);
    await waitUntil('100 streams to be open', () => readers.every(({ status }) => status === 200));
    const refused = await api.call('get', path);
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    expect(refused.headers['retry-after']).toBe('10');
    expect(refused.body.detail).toContain('100 streams');

    readers.pop()?.close();
    const next = await waitUntil('a place to be free', async () => {
      const reader = follow(body.id);
      await waitUntil('an answer', () => reader.status !== null);
      return reader.status === 200;
    });
    expect(next).toBe(true);
  });
});

describe('where it is counted', () => {
  const limits = { ...PLENTY, deploys: 2, signIns: 2 };
  const silent = createLogger({ level: 'silent', process: 'api' });
  const limited = { code: 'rate_limited' };

  test('deployments in the database: a restart of the API forgets nothing', async () => {
    const { url, database } = await createTestDatabase();
    const restarted = openDatabase(url, silent);
    try {
      const before = new RateLimits(database.pool, limits);
      await before.deploy(CALLER);
      await before.deploy(CALLER);
      const after = new RateLimits(restarted.pool, limits);
      await expect(after.deploy(CALLER)).rejects.toMatchObject(limited);
    } finally {
      await restarted.close();
      await database.close();
    }
  });

  test('sign-ins in memory while the database is away', async () => {
    const [port] = await freePorts(1);
    const away = openDatabase(new Secret(`postgresql://u:p@127.0.0.1:${port}/x`), silent);
    try {
      const counted = new RateLimits(away.pool, limits);
      await counted.signIn('203.0.113.7');
      await counted.signIn('203.0.113.7');
      await expect(counted.signIn('203.0.113.7')).rejects.toMatchObject(limited);
      await counted.signIn('203.0.113.8');
    } finally {
      await away.close();
    }
  });
});
