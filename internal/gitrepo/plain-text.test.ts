import { expect, test } from '@jest/globals';
import { plainText } from './plain-text.ts';

test.each([
  ['\u001b]52;c;cHduZWQ=\u0007hello', 'hello'],
  ['\u001b]0;title\u001b\\hello', 'hello'],
  ['\u001b[2Jhel\u001b[8mlo', 'hello'],
  ['\u009b2Jhello', 'hello'],
  ['\u001bchello', 'hello'],
  ['a\rb\r\nc', 'a\nb\nc'],
  ['safe\u202eevil', 'safeevil'],
  ['nul\u0000 bell\u0007 del\u007f', 'nul bell del'],
  ['<b>kept</b>\tas\ntext', '<b>kept</b>\tas\ntext'],
  ['größe 日本語 🚀', 'größe 日本語 🚀'],
  ['\u001b', ''],
])('T66: %j becomes %j', (text, expected) => {
  expect(plainText(text, 100)).toBe(expected);
});

test('a long text is cut, and an unfinished sequence does not make it slow', () => {
  expect(plainText('x'.repeat(100), 10)).toBe('xxxxxxxxxx');
  const started = performance.now();
  plainText('\u001b]'.repeat(500_000), 10_000);
  expect(performance.now() - started).toBeLessThan(200);
});

test('half an emoji at the cut is not left behind, as Postgres would refuse it', () => {
  expect(plainText('ab🚀', 3)).toBe('ab');
});
