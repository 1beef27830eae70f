import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../secrets/secret.ts';

const TOKEN = /^berth_[A-Za-z0-9_-]{43}$/;
const SHOWN_CHARACTERS = 12;

/** 256 random bits, so a plain SHA-256 is enough to store. */
export function newToken(): Secret {
  return new Secret(`berth_${randomBytes(32).toString('base64url')}`);
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** SHA-256, hex: what the database holds instead of the token. */
export function tokenHash(token: Secret): string {
  return createHash('sha256').update(token.reveal()).digest('hex');
}

/** The first characters, by which a person knows a token in a list. */
export function tokenPrefix(token: Secret): string {
  return token.reveal().slice(0, SHOWN_CHARACTERS);
}
