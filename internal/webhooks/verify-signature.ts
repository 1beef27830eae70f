import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors/app-error.ts';
import { Secret } from '../secrets/secret.ts';

export const SIGNATURE_HEADER = 'X-Hub-Signature-256';

const SIGNATURE = /^sha256=([0-9a-f]{64})$/;
const NO_SIGNATURE = '0'.repeat(64);
/** Signs in the place of a secret that is not there, so that an answer takes as long with it as without. */
const NOBODYS_SECRET = new Secret(randomBytes(32).toString('hex'));

/** HMAC-SHA-256 of these bytes. */
export type Sign = (secret: Secret, bytes: Uint8Array) => Buffer;

const sign: Sign = (secret, bytes) => createHmac('sha256', secret.reveal()).update(bytes).digest();

/**
 * Whether the body was signed with that secret: over the bytes as they came (T64), compared in constant time, by no other
 * algorithm or spelling than GitHub's (T63). A missing, empty or wrong secret and a missing or wrong signature take the
 * same way and tell the sender the same (T62, T65).
 * @throws AppError signature_refused
 */
export function requireSignature(
  body: Uint8Array,
  given: { secret: Secret | null; signature: unknown },
  signBytes: Sign = sign,
): void {
  const secret = given.secret === null || given.secret.reveal() === '' ? null : given.secret;
  const [, hex] = (typeof given.signature === 'string' && SIGNATURE.exec(given.signature)) || [];
  const expected = signBytes(secret ?? NOBODYS_SECRET, body);
  const isEqual = timingSafeEqual(expected, Buffer.from(hex ?? NO_SIGNATURE, 'hex'));
  if (isEqual && secret !== null && hex !== undefined) return;
  throw new AppError(
    'signature_refused',
    `${SIGNATURE_HEADER} does not fit; check the URL and the secret of the webhook.`,
  );
}
