import { z } from 'zod';
import type { RouteState, RouteTable } from '../engine/ports.ts';

const DEADLINE_MS = 2000;
const PAGE_SIZE = 500;
const PROVIDER = '@docker';

const router = z.object({ status: z.string(), service: z.string() });
const service = z.object({
  status: z.string(),
  loadBalancer: z.object({ servers: z.array(z.object({ url: z.string() })).optional() }).optional(),
  serverStatus: z.record(z.string(), z.string()).optional(),
});
const routerNames = z.array(z.object({ name: z.string() }));

/** What Traefik's own API says it has made of our labels (Traefik documentation, "API", version 3). */
export class TraefikRoutes implements RouteTable {
  readonly #apiUrl: string;

  /** `apiUrl` without a trailing slash. */
  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl;
  }

  async read(routerName: string): Promise<RouteState | null> {
    const found = await this.#get(`/api/http/routers/${encodeURIComponent(routerName + PROVIDER)}`, router);
    if (found === null) return null;
    const serviceName = found.body.service.includes('@') ? found.body.service : found.body.service + PROVIDER;
    const served = await this.#get(`/api/http/services/${encodeURIComponent(serviceName)}`, service);
    const up = new Map(Object.entries(served?.body.serverStatus ?? {}));
    return {
      routerEnabled: found.body.status === 'enabled' && served?.body.status === 'enabled',
      servers: (served?.body.loadBalancer?.servers ?? [])
        .map(({ url }) => url)
        .filter((url) => up.get(url) === 'UP'),
    };
  }

  async listRouters(): Promise<string[]> {
    const names: string[] = [];
    for (let page = 1; ; ) {
      const found = await this.#get(`/api/http/routers?per_page=${PAGE_SIZE}&page=${page}`, routerNames);
      names.push(...(found?.body ?? []).map(({ name }) => name));
      // Traefik begins anew with page 1 after the last.
      const next = Number(found?.headers.get('x-next-page'));
      if (!(next > page)) break;
      page = next;
    }
    return names.filter((name) => name.endsWith(PROVIDER)).map((name) => name.slice(0, -PROVIDER.length));
  }

  /** Null: 404. @throws when Traefik does not answer in time, or not as expected */
  async #get<T>(path: string, schema: z.ZodType<T>): Promise<{ body: T; headers: Headers } | null> {
    const response = await fetch(this.#apiUrl + path, { signal: AbortSignal.timeout(DEADLINE_MS) });
    if (response.status === 404) {
      await response.body?.cancel();
      return null;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`Traefik's API answered ${response.status} to ${path}`);
    }
    return { body: schema.parse(await response.json()), headers: response.headers };
  }
}
