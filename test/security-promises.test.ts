import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** What SECURITY.md promises has a test, by its file and by ids in the names of its tests. */
const ROOT = join(import.meta.dirname, '..');
const page = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');

interface Row {
  readonly claim: string;
  readonly files: readonly string[];
  readonly ids: readonly string[];
}

function rowsUnder(heading: string): Row[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  return lines.slice(1).map((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const proof = cells.at(-2) ?? '';
    return {
      claim: cells[1] ?? '',
      files: [...proof.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
      ids: [...proof.replaceAll(/`[^`]+`/g, '').matchAll(/\b[TFA]\d+\b/g)].map(([id]) => id),
    };
  });
}

const promises = rowsUnder('Promises');
const requirements = rowsUnder('OWASP ASVS 5.0');

test('the tables are read', () => {
  expect(promises.length).toBeGreaterThanOrEqual(20);
  expect(requirements.length).toBeGreaterThanOrEqual(40);
});

describe.each([...promises, ...requirements])('$claim', ({ files, ids }) => {
  test('is proven by tests that are there', () => {
    expect(files.length).toBeGreaterThan(0);
    const missing = files.filter((file) => !file.endsWith('.test.ts') || !existsSync(join(ROOT, file)));
    expect(missing).toEqual([]);
    const code = files.map((file) => withoutComments(readFileSync(join(ROOT, file), 'utf8'))).join('\n');
    expect(code).toMatch(/\b(test|it)(\.each)?\(/);
    expect(ids.filter((id) => !new RegExp(`\\b${id}\\b`).test(code))).toEqual([]);
  });
});

test('each requirement of ASVS is claimed once', () => {
  const numbers = requirements.flatMap(({ claim }) => claim.split(', '));
  expect(numbers.filter((number) => !/^\d+\.\d+\.\d+$/.test(number))).toEqual([]);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('every file that the page names is there', () => {
  const named = [...page.matchAll(/`((?:cmd|internal|test|docs)\/[^`]+)`|\]\(((?:docs|test)\/[^)]+)\)/g)];
  const paths = named.map(([, quoted, linked]) => quoted ?? linked ?? '');
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

/** Outside comments ids stand in names of tests, or in the rows of a table of tests. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}
