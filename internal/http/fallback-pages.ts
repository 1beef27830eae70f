import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { App, PrismaClient } from '../db/database.ts';
import type { Logger } from '../logger/logger.ts';
import { deploymentHost } from '../routing/hosts.ts';
import { type FallbackPage, htmlOf, textOf } from './fallback-page.ts';

export interface FallbackNeeds {
  readonly prisma: PrismaClient;
  readonly baseDomain: string;
  readonly logger: Logger;
}

/**
 * What the proxy's lowest router leads to: a host without a route. It serves pages of the platform only, never
 * anything of an app, and listens on loopback.
 */
export function createFallbackPages(needs: FallbackNeeds): RequestListener {
  return (request, response) => {
    choosePage(needs, hostOf(request))
      .catch((error: unknown): FallbackPage => {
        needs.logger.error({ err: error }, 'fallback page without database');
        return {
          status: 503,
          title: 'Not available',
          text: 'Nothing can be said about this host right now.',
        };
      })
      .then((page) => send(page, { request, response }))
      .catch((error: unknown) => {
        needs.logger.error({ err: error }, 'fallback page not sent');
        response.destroy();
      });
  };
}

async function choosePage(needs: FallbackNeeds, host: string | null): Promise<FallbackPage> {
  const app = host === null ? null : ((await appOfHost(needs, host)) ?? (await appOfDeployment(needs, host)));
  if (!app) {
    return { status: 404, title: 'Nothing here', text: 'No app has this address. Check its spelling.' };
  }
  return { status: 503, title: 'Not available', text: `The app "${app.name}" ${whyNot(app)}` };
}

type KnownApp = Pick<App, 'name' | 'liveDeploymentId' | 'desiredState'>;
const KNOWN = { name: true, liveDeploymentId: true, desiredState: true } as const;

function whyNot({ liveDeploymentId, desiredState }: KnownApp): string {
  if (desiredState === 'stopped') return 'is stopped.';
  return liveDeploymentId === null
    ? 'has no live release at the moment. Its deployments tell why.'
    : 'has no route at the moment. It is being restored; try again in a few seconds.';
}

async function appOfHost({ prisma }: FallbackNeeds, host: string): Promise<KnownApp | null> {
  const row = await prisma.host.findUnique({ where: { host }, select: { app: { select: KNOWN } } });
  return row?.app ?? null;
}

/** `{app}-{deployment-id}.{BASE_DOMAIN}`, of a deployment whose containers do not run (any more, or yet). */
async function appOfDeployment(
  { prisma, baseDomain }: FallbackNeeds,
  host: string,
): Promise<KnownApp | null> {
  const [, id] = /^[a-z][a-z0-9-]*-([a-z][a-z2-7]{9})\./.exec(host) ?? [];
  if (id === undefined) return null;
  const row = await prisma.deployment.findUnique({ where: { id }, select: { app: { select: KNOWN } } });
  const isItsHost = row && deploymentHost({ appName: row.app.name, deploymentId: id, baseDomain }) === host;
  return isItsHost ? row.app : null;
}

const HOST = /^[a-z0-9.-]{1,253}$/;

function hostOf(request: IncomingMessage): string | null {
  const host = (request.headers.host ?? '')
    .slice(0, 300)
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '');
  return HOST.test(host) ? host : null;
}

function send(
  page: FallbackPage,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): void {
  const wantsHtml = (request.headers.accept ?? '').includes('text/html');
  const body = wantsHtml ? htmlOf(page) : textOf(page);
  response.writeHead(page.status, {
    'Content-Type': wantsHtml ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    ...(page.status === 503 ? { 'Retry-After': '5' } : {}),
    // What was sent along is not read, so the connection cannot be used again.
    ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { Connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
