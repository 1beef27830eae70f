import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { addUser } from '../support/another-user.ts';
import { ApiClient, type AppView } from '../support/api-client.ts';
import { CONNECT, Inside, pairsOf } from '../support/ask-from-inside.ts';
import { ensureNodeImage } from '../support/base-image.ts';
import type { TestContainer } from '../support/docker-objects.ts';
import { nodeApp } from '../support/fixture-apps.ts';
import { httpRequest } from '../support/http-request.ts';
import { portsOpenToOthers } from '../support/open-ports.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { SERVER_VARIABLE } from '../support/test-cluster.ts';

jest.setTimeout(180_000);

/** A live app, seen from outside and from inside. */
interface Tenant {
  readonly app: AppView;
  readonly container: TestContainer;
  readonly inside: Inside;
}

/** Three networks: the owner's `shop` (web, store) and `blog` (notes), and a `shop` of another user (web, vault). */
describe('projects', () => {
  let platform: Platform;
  let another: ApiClient;
  let repoUrl: string;
  let web: Tenant;
  let store: Tenant;
  let notes: Tenant;
  let theirWeb: Tenant;
  let vault: Tenant;

  beforeAll(async () => {
    platform = await startPlatform({ settings: { WATCH_SECONDS: '1', WORKER_CONCURRENCY: '2' } });
    const { token } = await addUser(platform.prisma);
    another = new ApiClient(Number(platform.settings['PORT']), token);
    const image = await ensureNodeImage();
    ({ url: repoUrl } = await platform.createRepository('tenant', nodeApp(image, { release: 'one' })));
    const { api } = platform;
    const shop = await newProject(api, 'shop');
    const blog = await newProject(api, 'blog');
    const theirShop = await newProject(another, 'shop');
    [web, store, notes, theirWeb, vault] = await Promise.all([
      tenant(api, shop, 'web'),
      tenant(api, shop, 'store'),
      tenant(api, blog, 'notes'),
      tenant(another, theirShop, 'web'),
      tenant(another, theirShop, 'vault'),
    ]);
  });
  afterAll(async () => {
    try {
      for (const { id } of (await another?.apps()) ?? []) await another.deleteApp(id);
    } finally {
      await platform?.close();
    }
  });

  async function newProject(api: ApiClient, name: string): Promise<string> {
    const { body } = await api.send('POST', '/projects', { name });
    return (body as { id: string }).id;
  }

  async function tenant(api: ApiClient, projectId: string, name: string): Promise<Tenant> {
    const { body } = await api.send('POST', `/projects/${projectId}/services`, {
      name,
      repo_url: repoUrl,
      port: 3000,
      health_check_path: '/health',
      deploy: true,
    });
    const { id } = body as AppView;
    const [first] = await api.deployments(id);
    await platform.waitForEndOfDrain(first?.id ?? '', 120_000);
    const app = await api.app(id);
    const [container] = await platform.containers({ appId: id });
    if (app.status !== 'active' || !container)
      throw new Error(`${name} is ${app.status}\n${await platform.explain(first?.id ?? '')}`);
    return { app, container, inside: new Inside(platform.docker.docker, container.id) };
  }

  const expectNothing = (reached: Readonly<Record<string, string>>) =>
    expect(Object.entries(reached).filter(([, word]) => word === 'connected')).toEqual([]);

  test('apps of one project reach each other at http://{app}:{port}', async () => {
    for (const [from, to] of [
      [web, store],
      [store, web],
      [theirWeb, vault],
    ] as const) {
      expect(to.app.internal_url).toBe(`http://${to.app.name}:3000`);
      expect(await from.inside.fetch(to.app.internal_url)).toMatchObject({
        status: 200,
        body: expect.stringContaining(`"container":"${to.container.id.slice(0, 12)}"`),
      });
    }
  });

  test('a name that two projects have means the own one', async () => {
    for (const [from, to] of [
      [store, web],
      [vault, theirWeb],
    ] as const) {
      expect(await from.inside.fetch('http://web:3000/')).toMatchObject({
        body: expect.stringContaining(`"container":"${to.container.id.slice(0, 12)}"`),
      });
    }
  });

  test.each<[string, () => readonly [Tenant, Tenant]]>([
    ['another project of the same user', () => [web, notes]],
    ['another project of the same user, backwards', () => [notes, store]],
    ['a project of another user', () => [web, vault]],
    ['a project of another user, backwards', () => [vault, store]],
    ['a project of another user of the same name', () => [theirWeb, web]],
  ])('T34: an app reaches none of %s: not by address, not by any of its names', async (_what, pair) => {
    const [from, to] = pair();
    const network = to.container.inspect.HostConfig.NetworkMode ?? '';
    const reached = await from.inside.connect([
      `${to.container.address}:3000`,
      `${to.container.name}:3000`,
      `${to.container.id.slice(0, 12)}:3000`,
      `${to.container.name}.${network}:3000`,
      `${to.app.name}.${network}:3000`,
      ...(to.app.name === from.app.name ? [] : [`${to.app.name}:3000`]),
    ]);
    expectNothing(reached);
    expect(reached[`${to.container.address}:3000`]).toBe('no answer');
    expect(reached[`${to.container.name}:3000`]).toBe('no such name');
  });

  describe('T34: the platform, by each address that the machine has', () => {
    const ports = () => ({
      postgres: Number(new URL(process.env[SERVER_VARIABLE] ?? '').port),
      api: Number(platform.settings['PORT']),
      fallback: Number(platform.settings['FALLBACK_PORT']),
      traefikApi: Number(new URL(platform.settings['TRAEFIK_API_URL'] ?? '').port),
    });
    const gatewayOf = ({ container }: Tenant) => container.address.replace(/\.\d+$/, '.1');
    const addresses = () => {
      const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      const outer = own.filter(({ family, internal }) => family === 'IPv4' && !internal);
      return [...new Set([gatewayOf(web), gatewayOf(vault), ...outer.map(({ address }) => address)])];
    };

    test.each(['postgres', 'api', 'fallback', 'traefikApi'] as const)(
      'does not serve apps at its %s',
      async (part) => {
        const port = ports()[part];
        const targets = [...addresses(), 'host.docker.internal', 'gateway.docker.internal', part];
        const reached = await web.inside.connect(targets.map((address) => `${address}:${port}`));
        expectNothing(reached);
        expect(reached[`${gatewayOf(web)}:${port}`]).toBe('refused');
      },
    );

    test('serves this machine at all of them: it is the address that keeps them from apps', async () => {
      const { postgres, ...http } = ports();
      expect(postgres).toBeGreaterThan(0);
      await platform.prisma.$queryRaw`SELECT 1`;
      for (const port of Object.values(http)) {
        expect((await httpRequest({ port, path: '/' })).status).toBeGreaterThan(0);
      }
    });

    test('T20: and no step of a build, which reaches no app of a project either', async () => {
      const { postgres, api, fallback, traefikApi } = ports();
      const platformPorts = [postgres, api, fallback, traefikApi];
      const apps = [web, store, vault].map(({ container }) => `${container.address}:3000`);
      const targets = [
        ...apps,
        ...addresses().flatMap((address) => platformPorts.map((port) => `${address}:${port}`)),
      ];
      const open = `${gatewayOf(web)}:${platform.httpPort}`;
      const { url } = await platform.createRepository('curious', {
        Dockerfile: [
          `FROM ${await ensureNodeImage()}`,
          'COPY ask.js .',
          `RUN node ask.js '${JSON.stringify(pairsOf([...targets, open]))}' && false`,
        ].join('\n'),
        'ask.js': CONNECT,
      });
      const app = await platform.api.createApp({ name: 'curious', repo_url: url });
      const [first] = await platform.api.deployments(app.id);
      await platform.waitForStatus(first?.id ?? '', 'failed');
      const lines = await platform.api.logLines(first?.id ?? '');
      const words = JSON.parse(lines.find(({ text }) => text.startsWith('["'))?.text ?? '[]') as string[];
      const reached = Object.fromEntries([...targets, open].map((target, at) => [target, words[at] ?? '']));
      // The step has a network: it reaches what the world reaches, too.
      expect(reached[open]).toBe('connected');
      expectNothing(Object.fromEntries(targets.map((target) => [target, reached[target] ?? ''])));
    });

    test('is reached only where the world reaches it too, at the port of Traefik', async () => {
      const { worker, apiServer, traefik } = platform;
      const pids = [worker.pid(), apiServer.pid(), traefik.process.pid];
      expect(portsOpenToOthers(pids)).toEqual([platform.httpPort]);
      const target = `${gatewayOf(web)}:${platform.httpPort}`;
      expect(await web.inside.connect([target])).toEqual({ [target]: 'connected' });
    });
  });
});
