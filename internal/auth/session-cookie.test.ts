import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Secret } from '../secrets/secret.ts';
import { sessionCookie, sessionIdOf } from './session-cookie.ts';

const SECRET = 'k'.repeat(32);
const cookie = sessionCookie({ publicUrl: 'https://berth.example', sessionSecret: new Secret(SECRET) });
const plain = sessionCookie({ publicUrl: 'http://berth.example', sessionSecret: new Secret(SECRET) });

/** As express-session signs. */
function signed(id: string, secret = SECRET): string {
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
  return encodeURIComponent(`s:${id}.${signature}`);
}

test('T52: over https the cookie is bound to this very host by its name', () => {
  expect([cookie.name, cookie.isSecure]).toEqual(['__Host-berth', true]);
  expect([plain.name, plain.isSecure]).toEqual(['berth', false]);
});

test('T52: what an app of the same domain has set beside ours changes nothing', () => {
  const ours = `__Host-berth=${signed('abc')}`;
  expect(sessionIdOf(ours, cookie)).toBe('abc');
  expect(sessionIdOf(`berth=${signed('evil')}; sid=x; ${ours}`, cookie)).toBe('abc');
  const tossed = `berth=${signed('evil', 'x'.repeat(32))}; berth=s%3Aevil; berth=${signed('abc')}`;
  expect(sessionIdOf(tossed, plain)).toBe('abc');
});

test.each([
  ['no header', undefined],
  ['none of that name', `__Host-berth2=${signed('abc')}; x__Host-berth=${signed('abc')}`],
  ['an unsigned id', '__Host-berth=abc'],
  ['another key', `__Host-berth=${signed('abc', 'x'.repeat(32))}`],
  ['another id under the signature', `__Host-berth=${signed('abc').replace('abc', 'abd')}`],
  ['a cut signature', `__Host-berth=${signed('abc').slice(0, -3)}`],
  ['no signature', '__Host-berth=s%3Aabc.'],
  ['no id', '__Host-berth=s%3A.'],
  ['a broken percent sign', '__Host-berth=s%3Aabc.%E0%A4%A'],
  ['100,000 characters', `__Host-berth=${signed('x'.repeat(100_000))}`],
])('T46: %s is no session', (_what, header) => {
  expect(sessionIdOf(header, cookie)).toBeNull();
});
