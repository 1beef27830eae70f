import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Secret } from '../secrets/secret.ts';
import { SecretMask } from './secret-mask.ts';

const SECRET = 'cänary/5e"c+r3t & more?';
const mask = (...secrets: string[]) => new SecretMask(secrets.map((secret) => new Secret(secret)));

describe('T24: a secret in a line', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  test.each([
    ['plain', SECRET],
    ['base64', base64(SECRET)],
    ['base64 of echo', base64(`${SECRET}\n`)],
    ['base64url', Buffer.from(SECRET).toString('base64url')],
    ['URL-encoded', encodeURIComponent(SECRET)],
    ['URL-encoded, lower case', encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
    ['form-encoded', encodeURIComponent(SECRET).replaceAll('%20', '+')],
    ['JSON', JSON.stringify(SECRET).slice(1, -1)],
    ['JSON in ASCII', JSON.stringify(SECRET).slice(1, -1).replace('ä', '\\u00e4')],
    ['hex', Buffer.from(SECRET).toString('hex')],
  ])('%s is hidden', (_name, form) => {
    expect(mask(SECRET).apply(`token: ${form}!`)).toBe('token: ***!');
  });

  test.each(['', 'u', 'us', 'use:', 'user:'])(
    'base64 of "%s" and the secret shows nothing of it',
    (before) => {
      const masked = mask(SECRET).apply(base64(`${before}${SECRET}@host`));
      expect(Buffer.from(masked.replace('***', ''), 'base64').toString()).not.toContain('5e');
      expect(masked).toContain('***');
    },
  );

  test('base64 broken into columns is hidden in every line', () => {
    const long = 'a secret that is longer than one line of base64 output can be, see --wrap';
    const columns = base64(long).match(/.{1,76}/g) ?? [];
    expect(columns.length).toBeGreaterThan(1);
    expect(columns.map((line) => mask(long).apply(line))).toEqual(columns.map(() => '***'));
  });

  test('each line of a secret of several lines is hidden', () => {
    const key = '-----BEGIN KEY-----\nMIIBVgIBADANBg\r\nq83bkqhkiG9w0B\n-----END KEY-----\n';
    expect(key.split('\n').map((line) => mask(key).apply(line.trim()))).toEqual([
      '***',
      '***',
      '***',
      '***',
      '',
    ]);
  });

  test('secrets that overlap are hidden together, nothing of either is left', () => {
    expect(mask('abcdefgh', 'efghijkl', 'cdefgh').apply('>abcdefghijkl<')).toBe('>***<');
  });

  test('values under six characters are left alone, they are words of every log', () => {
    expect(mask('true', '3000', '').apply('true 3000')).toBe('true 3000');
  });

  test('a secret that looks like a pattern is only itself', () => {
    expect(mask('a.*[b]+(c)|d').apply('axxxb a.*[b]+(c)|d')).toBe('axxxb ***');
  });

  test('of the largest that an environment may hold is hidden, among two hundred others', () => {
    const large = Array.from({ length: 3 }, (_, index) => `${index}${'0123456789abcdef'.repeat(2_047)}`);
    const small = Array.from({ length: 197 }, (_, index) => `value number ${index}`);
    const masked = mask(...large, ...small);
    for (const secret of [...large, ...small]) {
      expect(masked.apply(`>${secret}<`)).toBe('>***<');
      expect(masked.apply(`>${base64(secret)}<`)).toBe('>***<');
    }
  });

  test('in a line made to be dear to look through goes with the whole line', () => {
    const many = Array.from({ length: 200 }, (_, index) => `${'a'.repeat(300 + index)}b`);
    expect(mask(...many).apply('a'.repeat(64 * 1024))).toBe('***');
  });

  test('known limit: reversed text is not recognised', () => {
    const reversed = Array.from(SECRET).reverse().join('');
    expect(mask(SECRET).apply(reversed)).toBe(reversed);
  });

  test('whatever stands around it, the secret is gone', () => {
    const secret = fc.string({ minLength: 6, maxLength: 40 }).filter((text) => text.trim().length >= 6);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        expect(mask(value).apply(before + value + after)).toContain('***');
      }),
    );
  });
});
