import { deploymentHost } from './hosts.ts';

/** Above every router that is not ours; the sequence that is added rises with each release. */
const PRIORITY_BASE = 1000;

/** The sequence of a release from the priority of its routers. */
export function sequenceOfPriority(priority: number): number {
  return Math.max(0, priority - PRIORITY_BASE);
}

export interface ReleaseRoute {
  readonly appName: string;
  readonly deploymentId: string;
  readonly baseDomain: string;
  /** The app's hosts, each checked by routing/hosts.ts before it was stored. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly networkName: string;
  /** From the global sequence `route_priority`: the newest release has the highest. */
  readonly sequence: number;
}

/** Names at the proxy: unique per deployment, so that no router is ever defined twice with different rules (T29). */
export function routeNames(of: { appName: string; deploymentId: string }): {
  service: string;
  own: string;
  main: string;
} {
  const service = `${of.appName}-${of.deploymentId}`;
  return { service, own: service, main: `${service}-main` };
}

/**
 * The labels by which Traefik finds a release (docs: "Routing configuration with Docker"). Replicas of a release carry
 * exactly these, byte for byte; two routers lead to one service: the deployment's own host, and the app's hosts where
 * the highest priority among healthy releases wins at once.
 */
export function traefikLabels(route: ReleaseRoute): Record<string, string> {
  const { service, own, main } = routeNames(route);
  const router = (name: string, hosts: readonly string[], priority: number) => ({
    [`traefik.http.routers.${name}.rule`]: hosts.map(hostRule).join(' || '),
    [`traefik.http.routers.${name}.service`]: service,
    [`traefik.http.routers.${name}.priority`]: String(priority),
    [`traefik.http.routers.${name}.entrypoints`]: 'web',
    [`traefik.http.routers.${name}.middlewares`]: service,
  });
  return {
    'traefik.enable': 'true',
    'traefik.docker.network': route.networkName,
    [`traefik.http.services.${service}.loadbalancer.server.port`]: String(route.port),
    // Traefik tries again only when the connection could not be made, so no request is ever sent twice.
    [`traefik.http.middlewares.${service}.retry.attempts`]: '3',
    [`traefik.http.middlewares.${service}.retry.initialinterval`]: '50ms',
    ...router(own, [deploymentHost(route)], PRIORITY_BASE + route.sequence),
    ...(route.hosts.length > 0 ? router(main, route.hosts, PRIORITY_BASE + route.sequence) : {}),
  };
}

function hostRule(host: string): string {
  // The second line of defence: whatever is stored, nothing can leave the back-ticks (T26).
  if (!/^[a-z0-9.-]+$/.test(host)) throw new Error(`not a host name: ${JSON.stringify(host)}`);
  return `Host(\`${host}\`)`;
}
