import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isAppName } from '../routing/hosts.ts';
import { appChangeSchema, nameFrom, settingsOf } from './app-input.ts';

test.each([
  ['shop', 'shop'],
  ['Shop.js', 'shop-js'],
  ['Überweisung_2', 'uberweisung-2'],
  ['2048', 'app'],
  ['日本語', 'app'],
  ['--a--', 'a'],
  ['api', 'app-api'],
  ['a'.repeat(200), 'a'.repeat(30)],
])('the name made from %j is %s', (text, name) => {
  expect(nameFrom(text)).toBe(name);
});

test('whatever the text, the name made from it can be one', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => isAppName(nameFrom(text))));
});

test('only what was given is changed; null is a value', () => {
  const input = appChangeSchema({ allowedHosts: ['github.com'], privateHosts: [] }).parse({
    repo_url: 'acme/shop',
    branch: null,
    drain_seconds: 0,
  });
  expect(settingsOf(input)).toEqual({
    repoUrl: 'https://github.com/acme/shop',
    branch: null,
    drainSeconds: 0,
  });
});
