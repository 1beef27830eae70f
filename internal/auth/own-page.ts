import type { Request } from 'express';
import { AppError } from '../errors/app-error.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Browsers add the cookie of a session to whatever any page sends us. So a request with one may change something only
 * when the browser says that a page of ours has sent it (T50), and only as JSON, which no form can send. Apps live
 * below the same domain: their pages are the same site, and yet not ours.
 * @param publicOrigin of PUBLIC_URL
 * @throws AppError csrf_refused, unsupported_media_type
 */
export function requireOwnPage(request: Pick<Request, 'method' | 'get' | 'is'>, publicOrigin: string): void {
  if (SAFE_METHODS.has(request.method)) return;
  if (!isOwnPage(request, publicOrigin)) {
    throw new AppError(
      'csrf_refused',
      'With a session only pages of this host may change something; a program sends an API token instead.',
    );
  }
  // `is` gives null where there is no body at all.
  if (request.is(['json', '+json']) === false && request.get('content-length') !== '0') {
    throw new AppError('unsupported_media_type', 'Send the body as "Content-Type: application/json".');
  }
}

/** By what browsers say of the sender: `Sec-Fetch-Site`, and where they do not send that (plain http), `Origin`. */
export function isOwnPage(request: Pick<Request, 'get'>, publicOrigin: string): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const origin = request.get('origin');
  if (origin === undefined) return false;
  if (origin === publicOrigin) return true;
  // The API by another name, such as a tunnel to it. The public host itself is ours with its own scheme only.
  const host = request.get('host') ?? '';
  return host !== new URL(publicOrigin).host && [`http://${host}`, `https://${host}`].includes(origin);
}
