import { expect, test } from '@jest/globals';
import { freeName } from './release-projects.ts';

test.each<[string, readonly string[], string]>([
  ['shop', [], 'shop'],
  ['shop', ['default'], 'shop'],
  ['default', ['default'], 'default-k4tqzp'],
  ['default', ['default', 'default-k4tqzp'], 'default-k4tqzp-2'],
  ['x'.repeat(40), ['x'.repeat(40)], `${'x'.repeat(33)}-k4tqzp`],
  [`${'x'.repeat(32)}-${'y'.repeat(7)}`, [`${'x'.repeat(32)}-${'y'.repeat(7)}`], `${'x'.repeat(32)}-k4tqzp`],
])('%s beside %j is called %s', (name, taken, free) => {
  expect(freeName(name, 'k4tqzp', new Set(taken))).toBe(free);
  expect(free.length).toBeLessThanOrEqual(40);
});
