import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'SECURITY.md'), 'utf8');
const filesIn = (text: string) => [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, file = '']) => file);

/** Each numbered promise, with the lines that belong to it. */
const promises = page
  .slice(page.indexOf('## What Berth promises'), page.indexOf('## What it does not promise'))
  .split(/\n(?=\d+\. )/)
  .slice(1);

test('every test that SECURITY.md names is there', () => {
  const files = filesIn(page);
  expect(files.length).toBeGreaterThan(30);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('every promise names tests, and one of them carries one of its ids', () => {
  expect(promises.length).toBeGreaterThan(12);
  for (const promise of promises) {
    const [title = ''] = promise.split('**').slice(1);
    const ids = [...promise.matchAll(/\b[AT]\d{2}\b/g)].map(([id]) => id);
    const texts = filesIn(promise).map((file) => readFileSync(join(root, file), 'utf8'));
    expect([title, ids.length > 0, texts.length > 0]).toEqual([title, true, true]);
    const isHeld = ids.some((id) => texts.some((text) => text.includes(id)));
    expect([title, isHeld || promise.includes('test/architecture.test.ts')]).toEqual([title, true]);
  }
});
