import { describe, expect, test } from '@jest/globals';
import { parseDockerIgnore } from './docker-ignore.ts';

const FILES = [
  '.env',
  '.git/config',
  'README.md',
  '[x].txt',
  'a.ts',
  'dist/drop.txt',
  'dist/keep.txt',
  'docs/api/x.md',
  'docs/guide.md',
  'file1.txt',
  'fileA.txt',
  'node_modules/m/i.js',
  'packages/web/node_modules/m/i.js',
  'packages/web/src/a.test.ts',
  'packages/web/src/a.ts',
  'src/Makefile',
  'src/a.ts',
  'src/b c.ts',
  'src/deep/er/a.ts',
  'star*.txt',
  'ü.txt',
];

/** Each row was also run through `docker build` (client 28.2, classic builder), which left out the same files. */
describe('a .dockerignore leaves out what docker build leaves out', () => {
  const rows: [lines: string, excluded: string[] | { kept: string[] }][] = [
    ['', []],
    ['# README.md\n\n   \n', []],
    ['node_modules', ['node_modules/m/i.js']],
    ['**/node_modules', ['node_modules/m/i.js', 'packages/web/node_modules/m/i.js']],
    ['*.md', ['README.md']],
    ['**/*.md', ['README.md', 'docs/api/x.md', 'docs/guide.md']],
    ['**md', ['README.md', 'docs/api/x.md', 'docs/guide.md']],
    ['/docs/', ['docs/api/x.md', 'docs/guide.md']],
    ['./docs', ['docs/api/x.md', 'docs/guide.md']],
    ['docs/../src', ['src/Makefile', 'src/a.ts', 'src/b c.ts', 'src/deep/er/a.ts']],
    ['docs/*', ['docs/api/x.md', 'docs/guide.md']],
    ['docs**', ['docs/api/x.md', 'docs/guide.md']],
    ['**/api/*.md', ['docs/api/x.md']],
    ['src/**/a.ts', ['src/a.ts', 'src/deep/er/a.ts']],
    ['**/deep/**', ['src/deep/er/a.ts']],
    ['packages/*/src/*.test.ts', ['packages/web/src/a.test.ts']],
    ['.env*\r\n.git\r\n', ['.env', '.git/config']],
    ['file?.txt', ['file1.txt', 'fileA.txt']],
    ['file[0-9].txt', ['file1.txt']],
    ['file[^0-9].txt', ['fileA.txt']],
    ['\\[x\\].txt', ['[x].txt']],
    ['star\\*.txt', ['star*.txt']],
    ['ü.txt', ['ü.txt']],
    ['  src/b c.ts  ', ['src/b c.ts']],
    ['SRC', []],
    ['..', []],
    ['/', []],
    ['!dist', []],
    ['dist\n!dist/keep.txt', ['dist/drop.txt']],
    ['dist/*\n!dist/keep.txt', ['dist/drop.txt']],
    ['*', { kept: [] }],
    ['*\n!src', { kept: ['src/Makefile', 'src/a.ts', 'src/b c.ts', 'src/deep/er/a.ts'] }],
    ['*\n!src\nsrc/deep', { kept: ['src/Makefile', 'src/a.ts', 'src/b c.ts'] }],
    ['**\n!src/a.ts', { kept: ['src/a.ts'] }],
    ['**/\n!README.md', { kept: ['README.md'] }],
    [
      '**/web/**\n!packages/web/src',
      { kept: FILES.filter((path) => path !== 'packages/web/node_modules/m/i.js') },
    ],
  ];

  test.each(rows)('%j', (lines, expected) => {
    const ignore = parseDockerIgnore(lines);
    const kept = FILES.filter((path) => !ignore.excludes(path));
    expect(kept).toEqual(
      Array.isArray(expected) ? FILES.filter((path) => !expected.includes(path)) : expected.kept,
    );
  });

  test('a bracket that does not close is refused, as Docker does', () => {
    expect(() => parseDockerIgnore('a\n[b\n')).toThrow('cannot be read: [b');
  });
});

test('a folder may be passed over only when no line brings anything back', () => {
  expect(parseDockerIgnore('a\n#!b').mayPrune).toBe(true);
  expect(parseDockerIgnore('a\n!b').mayPrune).toBe(false);
});

test('T12: a pattern made to be slow is not', () => {
  const ignore = parseDockerIgnore(`${'**/a*'.repeat(40)}x\n${'*a'.repeat(100)}b\n${'**/'.repeat(80)}y`);
  const started = performance.now();
  for (let index = 0; index < 20; index++) ignore.excludes(`${'a/'.repeat(500)}${'a'.repeat(255)}`);
  expect(performance.now() - started).toBeLessThan(20_000);
});
