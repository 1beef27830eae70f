import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { FAILURES } from '../internal/errors/deployment-failed.ts';
import { failuresPage } from './failures-page.ts';

test('docs/failures.md is what the catalogue says now (npm run docs:failures)', () => {
  expect(readFileSync(join(import.meta.dirname, '../docs/failures.md'), 'utf8')).toBe(failuresPage());
});

test('every code has advice that tells a person what to do', () => {
  for (const [code, { advice }] of Object.entries(FAILURES)) {
    expect([code, /^[A-Z].{15,}\.$/.test(advice)]).toEqual([code, true]);
  }
});
