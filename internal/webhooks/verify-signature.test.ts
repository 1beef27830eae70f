import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { verify } from '@octokit/webhooks-methods';
import { Secret } from '../secrets/secret.ts';
import { requireSignature } from './verify-signature.ts';

const SECRET = new Secret('It is a secret to everybody'.padEnd(64, '.'));
const BODY = Buffer.from('{ "zen":"K\\u00eeep \u{1f40b}",\n  "a" : 1 }');
const hexOf = (body: Buffer = BODY, secret: Secret = SECRET) =>
  createHmac('sha256', secret.reveal()).update(body).digest('hex');

/** What happened, and how often something was signed on the way. */
function judge(given: { secret?: Secret | null; signature?: unknown; body?: Buffer }) {
  let signed = 0;
  const { secret = SECRET, signature = `sha256=${hexOf()}`, body = BODY } = given;
  try {
    requireSignature(body, { secret, signature }, (key, bytes) => {
      signed += 1;
      return createHmac('sha256', key.reveal()).update(bytes).digest();
    });
    return { accepted: true, signed };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { accepted: false, signed, code, message };
  }
}

test('a right signature is taken, as that of the library of GitHub is', async () => {
  expect(judge({})).toEqual({ accepted: true, signed: 1 });
  expect(await verify(SECRET.reveal(), BODY.toString(), `sha256=${hexOf()}`)).toBe(true);
});

test("GitHub's own example is taken", () => {
  const secret = new Secret("It's a Secret to Everybody");
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  expect(judge({ secret, signature, body: Buffer.from('Hello, World!') })).toMatchObject({ accepted: true });
});

test('T64: bytes that are no UTF-8 are signed as they are', () => {
  const body = Buffer.from([0xff, 0x00, 0x80, 0x7b]);
  expect(judge({ body, signature: `sha256=${hexOf(body)}` })).toMatchObject({ accepted: true });
});

describe('T62, T63, T65: refused alike, after one signature over the body', () => {
  const refusal = judge({ signature: `sha256=${'0'.repeat(64)}` });

  test.each<[string, Parameters<typeof judge>[0]]>([
    ['no signature', { signature: null }],
    ['an empty one', { signature: '' }],
    ['a list of them', { signature: [`sha256=${hexOf()}`, `sha256=${hexOf()}`] }],
    ['two in one header', { signature: `sha256=${hexOf()}, sha256=${hexOf()}` }],
    ['SHA-1', { signature: `sha1=${createHmac('sha1', SECRET.reveal()).update(BODY).digest('hex')}` }],
    ['SHA-512', { signature: `sha512=${createHmac('sha512', SECRET.reveal()).update(BODY).digest('hex')}` }],
    ['no algorithm', { signature: hexOf() }],
    ['another spelling of it', { signature: `SHA256=${hexOf()}` }],
    ['upper-case digits', { signature: `sha256=${hexOf().toUpperCase()}` }],
    ['63 digits', { signature: `sha256=${hexOf().slice(1)}` }],
    ['65 digits', { signature: `sha256=${hexOf()}0` }],
    ['no digits', { signature: `sha256=${'z'.repeat(64)}` }],
    ['a space after it', { signature: `sha256=${hexOf()} ` }],
    ['a line end after it', { signature: `sha256=${hexOf()}\n` }],
    ['zeros', { signature: `sha256=${'0'.repeat(64)}` }],
    ['another body', { body: Buffer.concat([BODY, Buffer.from(' ')]) }],
    ['another secret', { secret: new Secret('x'.repeat(64)) }],
    ['no secret', { secret: null }],
    [
      'an empty secret, signed with it',
      { secret: new Secret(''), signature: `sha256=${hexOf(BODY, new Secret(''))}` },
    ],
    [
      'no secret, signed with the empty one',
      { secret: null, signature: `sha256=${hexOf(BODY, new Secret(''))}` },
    ],
    [
      'no secret, signed with "null"',
      { secret: null, signature: `sha256=${hexOf(BODY, new Secret('null'))}` },
    ],
  ])('%s', (_what, given) => {
    expect(judge(given)).toEqual(refusal);
    expect(refusal).toMatchObject({ accepted: false, signed: 1, code: 'signature_refused' });
  });
});

test('T63: nothing in this folder compares a signature but the one comparison in constant time', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => !name.endsWith('.test.ts'));
  const lines = files.flatMap((name) => readFileSync(join(import.meta.dirname, name), 'utf8').split('\n'));
  const about = lines.filter((line) => /signature|digest|\bhex\b|hmac/i.test(line) && /[!=]==/.test(line));
  expect(about.map((line) => line.trim()).filter((line) => !/typeof|undefined/.test(line))).toEqual([]);
  expect(lines.filter((line) => line.includes('timingSafeEqual('))).toHaveLength(1);
});
