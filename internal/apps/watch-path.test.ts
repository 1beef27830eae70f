import { describe, expect, test } from '@jest/globals';
import { isWatchPath, touchesWatched } from './watch-path.ts';

describe('a watch path', () => {
  test.each([
    'apps/web',
    'apps/web/',
    './apps/web',
    'apps/*/src',
    '**/*.sql',
    '**.md',
    '!docs',
    '.',
    'a b',
    'ä/[a-c]?',
  ])('%s is one', (text) => expect(isWatchPath(text)).toBe(true));
  test.each([
    '',
    '!',
    '/apps',
    '!/apps',
    '../apps',
    'a/../../b',
    'a\\b',
    'a\0b',
    'a\nb',
    '[',
    'a[b',
    'a'.repeat(300),
  ])('%j is none', (text) => expect(isWatchPath(text)).toBe(false));
});

describe('what is watched', () => {
  test.each<[string, readonly string[], readonly string[], boolean]>([
    ['no pattern watches everything', [], ['README.md'], true],
    ['a folder with all that lies in it', ['apps/web'], ['apps/web/src/index.ts'], true],
    ['not a folder whose name begins alike', ['apps/web'], ['apps/website/index.ts'], false],
    ['another folder is not', ['apps/web'], ['apps/api/index.ts', 'README.md'], false],
    ['one of many paths is enough', ['apps/web'], ['README.md', 'apps/web/a', 'x'], true],
    ['a star within one folder', ['apps/*/package.json'], ['apps/web/package.json'], true],
    ['a star never crosses a slash', ['*.md'], ['docs/a.md'], false],
    ['two stars do', ['**/*.md'], ['docs/deep/a.md'], true],
    ['two stars also match no folder', ['**/*.md'], ['a.md'], true],
    ['the whole repository', ['.'], ['anything/at/all'], true],
    ['all but one folder', ['.', '!docs'], ['docs/a.md'], false],
    ['all but one folder, and another file', ['.', '!docs'], ['docs/a.md', 'src/a.ts'], true],
    [
      'a list that begins with ! means all but that',
      ['!docs', '!**/*.md'],
      ['docs/x', 'src/README.md'],
      false,
    ],
    ['and what it does not name is watched', ['!docs', '!**/*.md'], ['src/a.ts'], true],
    ['a later pattern brings back', ['!docs', 'docs/api'], ['docs/api/x'], true],
    ['case counts, as in Git', ['Apps/Web'], ['apps/web/a'], false],
    ['no path at all touches nothing', ['apps/web'], [], false],
  ])('%s', (_what, patterns, paths, expected) => {
    expect(touchesWatched(patterns, paths)).toBe(expected);
  });

  test('T60: patterns made to take for ever end', () => {
    const patterns = Array.from({ length: 20 }, () => `${'**/'.repeat(30)}x${'*a'.repeat(20)}`);
    const paths = Array.from({ length: 50 }, () => `${'a/'.repeat(100)}b`);
    expect(touchesWatched(patterns, paths)).toBe(false);
  });
});
