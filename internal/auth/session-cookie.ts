import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../secrets/secret.ts';

/** How this installation names and signs the cookie of a session. */
export interface SessionCookie {
  readonly name: string;
  /** Sent over https only. */
  readonly isSecure: boolean;
  readonly secret: Secret;
}

const LONGEST = 500;

/**
 * Over https the name begins with `__Host-`: browsers then take it from this very host only, so that an app below the
 * same domain cannot set one for us (T52). Plain http knows no such promise.
 */
export function sessionCookie(of: { publicUrl: string; sessionSecret: Secret }): SessionCookie {
  const isSecure = of.publicUrl.startsWith('https:');
  return { name: isSecure ? '__Host-berth' : 'berth', isSecure, secret: of.sessionSecret };
}

/** The session that a Cookie header names; null when none in it is signed by us. Others of the same name are passed by. */
export function sessionIdOf(header: string | undefined, cookie: SessionCookie): string | null {
  for (const value of cookieValues(header, cookie.name)) {
    const id = signedId(value, cookie.secret);
    if (id !== null) return id;
  }
  return null;
}

/** All values of that name: an app of the same domain may have added some. */
export function cookieValues(header: string | undefined, name: string): string[] {
  return (header ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
}

/** As express-session writes it: `s:{id}.{HMAC-SHA256 of the id, base64}`, percent-encoded. */
function signedId(value: string, secret: Secret): string | null {
  if (value.length > LONGEST) return null;
  const [, id, signature] = /^s:([^.]+)\.(.+)$/.exec(decode(value)) ?? [];
  if (id === undefined || signature === undefined) return null;
  const expected = createHmac('sha256', secret.reveal()).update(id).digest('base64').replace(/=+$/, '');
  return isSame(signature, expected) ? id : null;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return '';
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
