import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { type ApiUnderTest, startApi } from '../../test/support/api-under-test.ts';
import { freePorts } from '../../test/support/free-ports.ts';
import { openDatabase } from '../db/database.ts';
import { createLogger } from '../logger/logger.ts';
import { Secret } from '../secrets/secret.ts';
import { escapeHtml, htmlOf } from './fallback-page.ts';
import { createFallbackPages } from './fallback-pages.ts';

const logger = createLogger({ level: 'silent', process: 'api' });
let api: ApiUnderTest;
let deploymentId: string;
beforeAll(async () => {
  api = await startApi();
  const made = await api.call('post', '/apps').send({ name: 'shop', repo_url: 'acme/shop' });
  deploymentId = made.body.latest_deployment.id;
});
afterAll(() => api?.close());

const ask = (host: string, path = '/') =>
  supertest(createServer(createFallbackPages({ prisma: api.prisma, baseDomain: 'apps.test', logger })))
    .get(path)
    .set('Host', host);

describe('A17: a host without a route', () => {
  test.each([
    ['nobody.apps.test'],
    ['apps.test'],
    ['127.0.0.1'],
    ['shop.apps.test.evil.example'],
    ['xshop.apps.test'],
    [`other-aaaaaaaaaa.apps.test`],
    [`${'a'.repeat(5_000)}.apps.test`],
    ["'; drop table hosts; --"],
    ['<script>alert(1)</script>'],
    ['[::1]:8000'],
  ])('%s is unknown: 404, and a page of ours', async (host) => {
    const answer = await ask(host);
    expect(answer.status).toBe(404);
    expect(answer.text).toBe('Berth: 404 Nothing here\nNo app has this address. Check its spelling.\n');
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  test.each([['shop.apps.test'], ['SHOP.apps.test:8000'], ['shop.apps.test.']])(
    '%s has no live release: 503 that names the app',
    async (host) => {
      const answer = await ask(host, '/any/path?q=1');
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.text).toContain('The app "shop" has no live release');
    },
  );

  test('an app that was stopped says so', async () => {
    const made = await api
      .call('post', '/apps')
      .send({ name: 'quiet', repo_url: 'acme/quiet', deploy: false });
    await api.call('post', `/apps/${made.body.id}/stop`);
    const answer = await ask('quiet.apps.test');
    expect([answer.status, answer.text]).toEqual([
      503,
      expect.stringContaining('The app "quiet" is stopped.'),
    ]);
  });

  test('the host of one deployment names its app too, but not under the name of another app', async () => {
    expect((await ask(`shop-${deploymentId}.apps.test`)).text).toContain('The app "shop"');
    expect((await ask(`shop-${deploymentId}.other.test`)).status).toBe(404);
    expect((await ask(`store-${deploymentId}.apps.test`)).status).toBe(404);
  });

  test('a live app whose route is missing is not called undeployed', async () => {
    const made = await api.call('post', '/apps').send({ name: 'live', repo_url: 'acme/live' });
    await api.prisma.app.update({
      where: { id: made.body.id },
      data: { liveDeploymentId: made.body.latest_deployment.id },
    });
    const answer = await ask('live.apps.test');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('being restored');
  });
});

test('T55: a browser gets a page that loads and frames nothing', async () => {
  const answer = await ask('shop.apps.test').set('Accept', 'text/html,*/*;q=0.8');
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.text).toContain('The app &quot;shop&quot; has no live release');
  expect(answer.text).not.toMatch(/<script|http:|https:|src=/);
});

test('T55: what a page tells is escaped', () => {
  expect(escapeHtml(`<img src=x onerror="a('b')">&`)).toBe(
    '&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;',
  );
  expect(htmlOf({ status: 503, title: '<b>', text: '<i>' })).not.toMatch(/<b>|<i>/);
});

test('a request with a body is answered without reading it, and its connection ends', async () => {
  const server = supertest(
    createServer(createFallbackPages({ prisma: api.prisma, baseDomain: 'apps.test', logger })),
  );
  const answer = await server.post('/').set('Host', 'shop.apps.test').send('x'.repeat(10_000));
  expect(answer.status).toBe(503);
  expect(answer.headers['connection']).toBe('close');
});

test('without a database it still answers, and says nothing about the host', async () => {
  const [port] = await freePorts(1);
  const database = openDatabase(new Secret(`postgresql://u:p@127.0.0.1:${port}/x`), logger);
  try {
    const pages = createServer(
      createFallbackPages({ prisma: database.prisma, baseDomain: 'apps.test', logger }),
    );
    const answer = await supertest(pages).get('/').set('Host', 'shop.apps.test');
    expect(answer.status).toBe(503);
    expect(answer.text).toBe('Berth: 503 Not available\nNothing can be said about this host right now.\n');
  } finally {
    await database.close();
  }
});
