import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { z } from 'zod';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { signedIn } from '../../test/support/browser.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { openDatabase } from '../db/database.ts';
import { createLogger } from '../logger/logger.ts';
import { op } from '../openapi/operation.ts';
import { Secret } from '../secrets/secret.ts';

const SECRET_TEXT = 'select secret from /var/lib/berth';
const broken = op({
  method: 'get',
  path: '/broken',
  id: 'broken',
  tag: 'platform',
  summary: 'Fails',
  auth: 'none',
  responses: { 204: { description: 'never' } },
  async handler() {
    throw new Error(SECRET_TEXT);
  },
});
const untrue = op({
  method: 'get',
  path: '/untrue',
  id: 'untrue',
  tag: 'platform',
  summary: 'Answers something else than it says',
  auth: 'none',
  responses: { 200: { description: 'a number', schema: z.object({ number: z.int() }) } },
  async handler() {
    return { status: 200, body: { number: 0.5 } };
  },
});

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi({ moreOperations: [broken, untrue] });
});
afterAll(() => api?.close());

describe('errors are problem+json with a stable code', () => {
  test.each([
    ['malformed JSON', '{"name": ', 'application/json', 400, 'malformed_json'],
    ['JSON with a trailing comma', '{"name":"x",}', 'application/json', 400, 'malformed_json'],
    ['a form', 'name=x', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['JSON called text (T50)', '{}', 'text/plain', 415, 'unsupported_media_type'],
    ['an unknown charset', '{}', 'application/json; charset=latin-77', 415, 'unsupported_media_type'],
    ['a text', '"x"', 'application/json', 400, 'malformed_json'],
  ])('%s', async (_what, body, type, status, code) => {
    const answer = await api.call('post', '/apps').set('Content-Type', type).send(body);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toEqual({
      type: `urn:berth:problem:${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      code,
      request_id: answer.headers['x-request-id'],
    });
  });

  test('T59: a body over 1 MB answers 413, deep nesting 400, and the next request is served', async () => {
    const big = await api.call('post', '/apps').send({ name: 'x'.repeat(1024 * 1024) });
    expect([big.status, big.body.code]).toEqual([413, 'body_too_large']);
    const deep = await api
      .call('post', '/apps')
      .type('json')
      .send(`{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    expect(deep.status).toBe(400);
    expect((await api.call('get', '/apps')).status).toBe(200);
  });

  test('a compressed body is refused, whatever it would become', async () => {
    const answer = await api.call('post', '/apps').set('Content-Encoding', 'gzip').type('json').send('{}');
    expect(answer.status).toBe(415);
  });

  test.each([
    ['/api/v1/nothing'],
    ['/nothing'],
    ['/api/v1/apps/%E0%A4%A'],
    ['/api/v1/apps/a/b/c'],
    ['/api/v2/apps'],
  ])('%s leads nowhere', async (path) => {
    const answer = await supertest(api.app).get(path).auth(api.token, { type: 'bearer' });
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });

  test('another method answers 405 and names the ones that work', async () => {
    const answer = await api.call('put', '/apps');
    expect([answer.status, answer.body.code]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers['allow']).toBe('GET, POST, HEAD, OPTIONS');
  });

  test.each([
    ['/api/v1/apps', 'GET, POST, HEAD, OPTIONS'],
    ['/services/aaaaaaaaaa/deploy', 'POST, OPTIONS'],
    ['/health', 'GET, HEAD, OPTIONS'],
    ['/apps/aaaaaaaaaa/env/export', 'GET, HEAD, OPTIONS'],
  ])('OPTIONS %s says what is possible, to everybody', async (path, allow) => {
    const answer = await supertest(api.app).options(path);
    expect([answer.status, answer.headers['allow'], answer.text]).toEqual([204, allow, '']);
  });

  test.each(['/health', '/docs', '/openapi.json', '/apps', '/apps/aaaaaaaaaa', '/nothing'])(
    'HEAD %s is GET without its body',
    async (path) => {
      const [head, get] = await Promise.all([
        supertest(api.app).head(path).auth(api.token, { type: 'bearer' }),
        supertest(api.app).get(path).auth(api.token, { type: 'bearer' }),
      ]);
      expect(head.status).toBe(get.status);
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
      expect(head.text ?? '').toBe('');
    },
  );

  test('T61: an unexpected error tells nothing of itself', async () => {
    const answer = await api.call('get', '/broken');
    expect([answer.status, answer.body.code]).toEqual([500, 'internal']);
    expect(answer.text).not.toMatch(/select|secret|\/var|stack|\.ts/);
  });

  test('an answer that its own schema refuses does not pass in tests', async () => {
    expect((await api.call('get', '/untrue')).status).toBe(500);
  });
});

describe('headers', () => {
  test('T55: nothing may frame or sniff an answer, or keep it', async () => {
    const { headers } = await api.call('get', '/apps');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['strict-transport-security']).toBeUndefined();
  });

  test('T72: a request id is taken over only when it is harmless', async () => {
    const given = await api.call('get', '/apps').set('X-Request-Id', 'abc-1');
    expect(given.headers['x-request-id']).toBe('abc-1');
    const odd = await api.call('get', '/apps').set('X-Request-Id', 'a "b" {c}');
    expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('T53: who the client is says only the proxy on this host', async () => {
    await api
      .call('post', '/deployments')
      .set('X-Forwarded-For', '203.0.113.7')
      .set('X-Forwarded-Host', 'evil.example')
      .send({ repo: 'acme/forwarded' });
    const [row] = await api.prisma.auditEvent.findMany({ orderBy: { id: 'desc' }, take: 1 });
    expect(row?.address).toBe('203.0.113.7');
  });
});

test('T51: pages of other origins get nothing unless they are listed', async () => {
  const none = await api.call('get', '/apps').set('Origin', 'https://evil.example');
  expect(none.headers['access-control-allow-origin']).toBeUndefined();

  const listed = await startApi({
    settings: { publicUrl: 'https://berth.apps.test' },
    corsOrigins: ['https://panel.example'],
  });
  try {
    const preflight = await supertest(listed.app)
      .options('/api/v1/apps')
      .set('Origin', 'https://panel.example');
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('https://panel.example');
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    // T51: what comes from there brings a token; a cookie that comes along counts for nothing.
    const browser = await signedIn(listed.app, listed.token);
    const bySession = await browser.send('post', '/api/v1/projects', {
      body: { name: 'elsewhere' },
      headers: { 'Sec-Fetch-Site': 'same-site', Origin: 'https://panel.example' },
    });
    expect([bySession.status, bySession.body.code]).toEqual([403, 'csrf_refused']);
    expect(bySession.headers['access-control-allow-credentials']).toBeUndefined();
    const byToken = listed.call('post', '/projects').set('Origin', 'https://panel.example');
    expect((await byToken.send({ name: 'elsewhere' })).status).toBe(201);
    const other = await listed.call('get', '/apps').set('Origin', 'https://panel.example.evil.example');
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
    expect(other.headers['strict-transport-security']).toBeDefined();
  } finally {
    await listed.close();
  }
});

describe('health', () => {
  test.each([['/health'], ['/api/v1/health']])('%s needs no token', async (path) => {
    const answer = await supertest(api.app).get(path);
    expect([answer.status, answer.body]).toEqual([
      200,
      { status: 'ok', version: '0.0.0', database: 'up', workers: 0, warnings: [] },
    ]);
  });

  test('counts the workers that have told of themselves lately', async () => {
    await api.prisma.worker.createMany({
      data: [
        { id: 'fresh', hostname: 'h', pid: 1 },
        { id: 'silent', hostname: 'h', pid: 2, heartbeatAt: new Date(Date.now() - 60_000) },
      ],
    });
    expect((await supertest(api.app).get('/health')).body).toMatchObject({ status: 'ok', workers: 1 });
    await api.prisma.worker.deleteMany();
  });

  test('T17: is degraded, which is not down, by what fresh workers warn of, and tells codes alone', async () => {
    const silentSince = new Date(Date.now() - 60_000);
    await api.prisma.worker.createMany({
      data: [
        { id: 'first', hostname: 'h', pid: 1, warnings: ['runc_outdated', 'engine_outdated'] },
        { id: 'second', hostname: 'h', pid: 2, warnings: ['runc_outdated'] },
      ],
    });
    const health = () => supertest(api.app).get('/health');
    const answer = await health();
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        status: 'degraded',
        version: '0.0.0',
        database: 'up',
        workers: 2,
        warnings: ['engine_outdated', 'runc_outdated'],
      },
    ]);
    await api.prisma.worker.update({ where: { id: 'first' }, data: { heartbeatAt: silentSince } });
    expect((await health()).body).toMatchObject({ status: 'degraded', warnings: ['runc_outdated'] });
    await api.prisma.worker.update({ where: { id: 'second' }, data: { heartbeatAt: silentSince } });
    expect((await health()).body).toMatchObject({ status: 'ok', workers: 0, warnings: [] });
    await api.prisma.worker.deleteMany();
  });

  test.each([
    ['refuses', refusingPort],
    ['hangs', hangingPort],
  ])(
    'F19: while the database %s, health answers 503 in time and requests 503 with Retry-After',
    async (_how, open) => {
      const { port, close } = await open();
      const logger = createLogger({ level: 'silent', process: 'api' });
      const database = openDatabase(new Secret(`postgresql://u:p@127.0.0.1:${port}/x`), logger);
      const down = await startApi({ prisma: database.prisma });
      try {
        const before = performance.now();
        const health = await supertest(down.app).get('/health');
        expect(performance.now() - before).toBeLessThan(3_000);
        expect(health.status).toBe(503);
        expect(health.body).toEqual({
          status: 'unavailable',
          version: '0.0.0',
          database: 'down',
          workers: null,
        });
        const answer = await down.call('get', '/apps');
        expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable']);
        expect(answer.headers['retry-after']).toBe('5');
        expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN|prisma|select/i);
      } finally {
        await down.close();
        close();
        await database.close();
      }
    },
  );

  test('F19: connections that the server cuts are replaced; the next request works', async () => {
    await api.prisma.$queryRaw`
      SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    const statuses: number[] = [];
    for (let tries = 0; tries < 10; tries += 1) statuses.push((await api.call('get', '/apps')).status);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    expect(statuses.at(-1)).toBe(200);
  });
});

async function refusingPort() {
  const [port] = await freePorts(1);
  return { port, close: (): void => undefined };
}

/** Takes connections and never says a word. */
async function hangingPort() {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: (): void => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
