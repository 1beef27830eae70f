import type { Request, RequestHandler } from 'express';
import { AppError } from '../errors/app-error.ts';

const NAMES = ['localhost', '127.0.0.1'];
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What proxies add. One that runs on this host passes others' requests on, as if they came from here. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * With AUTH=none, what stands in the place of a token: the request is made on this host, for this host, and where a
 * browser makes it, by a page of ours or of a listed origin. A name that an attacker's DNS points to 127.0.0.1 fails
 * by its Host (T53), a foreign page's form by its Origin (T50).
 */
export function requireLocal(of: { port: number; origins: readonly string[] }): RequestHandler {
  const hosts = new Set(NAMES.flatMap((name) => [name, `${name}:${of.port}`]));
  const origins = new Set([...localOrigins(of.port), ...of.origins]);

  return (request, _response, next) => {
    if (!hosts.has((request.get('host') ?? '').toLowerCase())) {
      throw notLocal(`Ask it as http://localhost:${of.port}; with AUTH=none no other host is answered.`);
    }
    if (PROXY_HEADERS.some((name) => request.get(name) !== undefined)) {
      throw notLocal('With AUTH=none nothing that came through a proxy is answered.');
    }
    if (!SAFE_METHODS.has(request.method) && !isOfOurPage(request, origins)) {
      throw notLocal('With AUTH=none a page of another origin may change nothing.');
    }
    next();
  };
}

/** Of pages that the API itself serves on this host. */
export function localOrigins(port: number): string[] {
  return NAMES.map((name) => (port === 80 ? `http://${name}` : `http://${name}:${port}`));
}

/** Browsers send at least one of the two with whatever may change something; a program sends neither. */
function isOfOurPage(request: Request, origins: ReadonlySet<string>): boolean {
  const origin = request.get('origin');
  if (origin !== undefined) return origins.has(origin);
  const site = request.get('sec-fetch-site');
  return site === undefined || site === 'same-origin' || site === 'none';
}

function notLocal(detail: string): AppError {
  return new AppError('not_local', detail);
}
