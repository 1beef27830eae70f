import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePorts } from '../../test/support/free-ports.ts';
import { httpRequest } from '../../test/support/http-request.ts';
import { TestTraefik } from '../../test/support/traefik.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { askHttp } from './ask-http.ts';

let directory: string;
let traefik: TestTraefik;
let servers: Server[];
let ports: { web: number; api: number };

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-traefik-'));
  const [platform = 0, fallback = 0, web = 0, api = 0] = await freePorts(4);
  ports = { web, api };
  servers = [serve('platform', platform), serve('fallback', fallback)];
  traefik = await TestTraefik.start({
    checkout: resolve(import.meta.dirname, '../..'),
    directory,
    instance: 'nobodys123',
    httpPort: web,
    apiPort: api,
    dockerHost: 'unix:///var/run/docker.sock',
    platformHost: 'berth.localhost',
    apiAddress: `127.0.0.1:${platform}`,
    fallbackPort: fallback,
  });
  await waitUntil('the first route', async () => (await get('berth.localhost')).status === 200);
});

afterAll(async () => {
  await traefik?.process.stop();
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Answers with its name and the headers that it got. */
function serve(name: string, port: number): Server {
  return createServer((request, response) => {
    response.end(JSON.stringify({ name, headers: request.headers }));
  }).listen(port, '127.0.0.1');
}

function get(host: string, headers: Record<string, string> = {}) {
  return httpRequest({ port: ports.web, path: '/', host, headers });
}

async function answerOf(host: string, headers: Record<string, string> = {}) {
  const answer: { name: string; headers: Record<string, string> } = JSON.parse(
    (await get(host, headers)).body,
  );
  return answer;
}

test("the platform's host goes to the API, its Host header kept", async () => {
  const answer = await answerOf('berth.localhost');
  expect(answer.name).toBe('platform');
  expect(answer.headers['host']).toBe('berth.localhost');
});

test.each(['nobody.localhost', '127.0.0.1', 'evil.example'])('A17: %s goes to the fallback', async (host) => {
  expect((await answerOf(host)).name).toBe('fallback');
});

test('T30: what a client claims in forwarded headers reaches nobody', async () => {
  const { headers } = await answerOf('berth.localhost', {
    'x-forwarded-for': '6.6.6.6',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    'x-real-ip': '6.6.6.6',
  });
  expect(headers).toMatchObject({ 'x-forwarded-proto': 'http', 'x-forwarded-host': 'berth.localhost' });
  expect(JSON.stringify(headers)).not.toContain('6.6.6.6');
});

test('T34: its own API answers on loopback and on no other address of the host', async () => {
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((found) => found !== undefined && !found.internal && found.family === 'IPv4')
    .map((found) => found?.address ?? '');
  // Docker's bridge at least is there, and containers reach it.
  expect(others.length).toBeGreaterThan(0);
  for (const address of others) {
    expect(await askHttp({ address, port: ports.api, path: '/api/version', timeoutMs: 1_000 })).toBeNull();
  }
  expect((await askHttp({ address: '127.0.0.1', port: ports.api, path: '/api/version' }))?.status).toBe(200);
});

test('containers of other installations on this host are not routed', async () => {
  expect(await traefik.routers()).toEqual([]);
});
