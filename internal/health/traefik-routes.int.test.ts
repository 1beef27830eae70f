import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { TraefikRoutes } from './traefik-routes.ts';

/** Answers as Traefik 3.6.12 gives them; what is asked for and not here is 404. */
type Answers = Record<string, unknown>;
let server: Server | null = null;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = null;
});

async function traefikWith(answers: Answers, nextPage = '1'): Promise<TraefikRoutes> {
  server = createServer((request, response) => {
    const answer = answers[decodeURIComponent(request.url ?? '')];
    response.setHeader('x-next-page', request.url?.includes('page=1') ? nextPage : '1');
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'not found' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new TraefikRoutes(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const router = { name: 'blog-a@docker', status: 'enabled', service: 'blog-a', provider: 'docker' };
const service = {
  status: 'enabled',
  loadBalancer: { servers: [{ url: 'http://10.89.0.2:80' }, { url: 'http://10.89.0.3:80' }] },
  serverStatus: { 'http://10.89.0.2:80': 'UP', 'http://10.89.0.3:80': 'DOWN' },
};

test('reads a router and the servers of its service that are up', async () => {
  const routes = await traefikWith({
    '/api/http/routers/blog-a@docker': router,
    '/api/http/services/blog-a@docker': service,
  });
  expect(await routes.read('blog-a')).toEqual({ routerEnabled: true, servers: ['http://10.89.0.2:80'] });
});

test('a router that Traefik does not know is null', async () => {
  const routes = await traefikWith({});
  expect(await routes.read('blog-a')).toBeNull();
});

test.each([
  ['a disabled router', { ...router, status: 'disabled' }, service],
  ['a disabled service', router, { ...service, status: 'disabled' }],
  ['a missing service', router, undefined],
])('%s is not enabled', async (_, ofRouter, ofService) => {
  const routes = await traefikWith({
    '/api/http/routers/blog-a@docker': ofRouter,
    '/api/http/services/blog-a@docker': ofService,
  });
  expect(await routes.read('blog-a')).toMatchObject({ routerEnabled: false });
});

test('lists the routers of the docker provider over all pages', async () => {
  const routes = await traefikWith(
    {
      '/api/http/routers?per_page=500&page=1': [{ name: 'a@docker' }, { name: 'platform@file' }],
      '/api/http/routers?per_page=500&page=2': [{ name: 'b@docker' }],
    },
    '2',
  );
  expect(await routes.listRouters()).toEqual(['a', 'b']);
});

test('a proxy that is away is an error, not an empty list', async () => {
  const routes = await traefikWith({});
  server?.close();
  await expect(routes.listRouters()).rejects.toThrow('fetch failed');
});
