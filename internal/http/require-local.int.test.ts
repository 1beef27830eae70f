import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { httpRequest } from '../../test/support/http-request.ts';
import { createApp } from './create-app.ts';

const PANEL = 'http://panel.example';
let api: ApiUnderTest;
let port: number;
let server: Server;
beforeAll(async () => {
  [port = 0] = await freePorts(1);
  api = await startApi();
  const settings = { ...api.needs.settings, auth: 'none' as const, apiPort: port };
  server = createServer(createApp({ ...api.needs, settings, corsOrigins: [PANEL] }));
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
});
afterAll(async () => {
  server?.close();
  await api?.close();
});

const get = (headers: Record<string, string>, path = '/apps') => httpRequest({ port, path, headers });
/** What a page's form could send without asking first: no token, no JSON. */
const post = (headers: Record<string, string>) =>
  httpRequest({
    port,
    path: '/deployments/aaaaaaaaaa/cancel',
    method: 'POST',
    headers: { host: `localhost:${port}`, ...headers },
  });
const own = () => `http://localhost:${port}`;

test('no token is needed: the caller is the owner', async () => {
  const body = JSON.stringify({ name: 'shop', repo_url: 'acme/shop', deploy: false });
  const made = await httpRequest({
    port,
    path: '/api/v1/apps',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(made.status).toBe(201);
  const audit = await api.prisma.auditEvent.findFirstOrThrow({ where: { action: 'app.create' } });
  const owner = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  expect(audit.userId).toBe(owner.id);
});

describe('T53: the Host must be this machine', () => {
  test.each([['localhost'], ['localhost:PORT'], ['127.0.0.1'], ['127.0.0.1:PORT'], ['LOCALHOST:PORT']])(
    '%s is answered',
    async (host) => {
      expect((await get({ host: host.replace('PORT', String(port)) })).status).toBe(200);
    },
  );

  test.each([
    ['evil.example'],
    ['evil.example:PORT'],
    ['berth.localhost'],
    ['shop.localhost:PORT'],
    ['localhost:1'],
    ['localhost.evil.example'],
    ['127.0.0.1.nip.io:PORT'],
    ['127.0.0.2'],
    ['0.0.0.0:PORT'],
    ['[::1]:PORT'],
    ['localhost@evil.example'],
  ])('"%s" is not, on any path', async (host) => {
    for (const path of ['/apps', '/api/v1/apps', '/health', '/openapi.json', '/nothing']) {
      const answer = await get({ host: host.replace('PORT', String(port)) }, path);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_local' });
    }
  });

  test.each(['GET /apps HTTP/1.0\r\n\r\n', 'GET /apps HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'])(
    'none at all is not: %j',
    async (text) => {
      const socket = connect(port, '127.0.0.1').setEncoding('utf8');
      socket.write(text);
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    },
  );

  test.each(['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'x-real-ip'])(
    'what a proxy on this host passes on is not: %s',
    async (name) => {
      expect((await get({ host: `localhost:${port}`, [name]: '127.0.0.1' })).status).toBe(403);
    },
  );
});

describe('T50: a page of another origin changes nothing', () => {
  const missing = 404;
  test.each<[string, Record<string, string>, number]>([
    ['a program', {}, missing],
    ['our page', { origin: 'OWN', 'sec-fetch-site': 'same-origin' }, missing],
    ['our page under the other name', { origin: 'http://127.0.0.1:PORT' }, missing],
    ['a listed origin', { origin: PANEL, 'sec-fetch-site': 'cross-site' }, missing],
    ['a person who typed the address', { 'sec-fetch-site': 'none' }, missing],
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['a foreign page that hides its origin', { origin: 'null' }, 403],
    ['an app of ours', { origin: 'http://shop.localhost:8000', 'sec-fetch-site': 'same-site' }, 403],
    ['another port of this machine', { origin: 'http://localhost:3000' }, 403],
    ['the same port over https', { origin: 'https://localhost:PORT' }, 403],
    ['a page without Origin, cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a page without Origin, same-site', { 'sec-fetch-site': 'same-site' }, 403],
  ])('%s', async (_who, headers, status) => {
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      value.replace('OWN', own()).replace('PORT', String(port)),
    ]);
    expect((await post(Object.fromEntries(sent))).status).toBe(status);
  });

  test('a form that is called JSON by nobody is refused as before', async () => {
    const answer = await httpRequest({
      port,
      path: '/apps',
      method: 'POST',
      headers: { host: `localhost:${port}`, origin: own(), 'content-type': 'text/plain' },
      body: '{"name":"x"}',
    });
    expect(answer.status).toBe(415);
  });

  test('reading is not open to other pages either: they get no CORS header', async () => {
    const answer = await get({ host: `localhost:${port}`, origin: 'https://evil.example' });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

test('the document says that no token is needed, and when 403 is answered', async () => {
  const { paths } = JSON.parse((await get({ host: 'localhost' }, '/openapi.json')).body) as {
    paths: Record<string, Record<string, { security: unknown[]; responses: Record<string, unknown> }>>;
  };
  // A webhook has a signature of its own, and 401 for a wrong one.
  const ours = Object.entries(paths).filter(([path]) => !path.startsWith('/webhooks/'));
  const operations = ours.flatMap(([, item]) => Object.values(item));
  expect(operations.length).toBeGreaterThan(10);
  for (const { security, responses } of operations) {
    expect(security).toEqual([]);
    expect(Object.keys(responses)).toContain('403');
    expect(Object.keys(responses)).not.toContain('401');
  }
});
