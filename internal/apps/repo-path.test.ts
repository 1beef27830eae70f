import { expect, test } from '@jest/globals';
import { isRepoPath } from './repo-path.ts';

test.each(['Dockerfile', 'apps/web/Dockerfile', './Dockerfile', '.', 'app/', 'a..b/c', '...', 'größe', '-f'])(
  '%s is a path inside a repository',
  (path) => {
    expect(isRepoPath(path)).toBe(true);
  },
);

test.each([
  '../../etc/passwd',
  '/etc/passwd',
  'a/../../b',
  'a/..',
  '..',
  'C:\\x',
  '..\\x',
  'Dockerfile\u0000',
  'Dockerfile\n',
  'a\u202eb',
  '',
  'a'.repeat(256),
])('T13: %j is refused', (path) => {
  expect(isRepoPath(path)).toBe(false);
});

test('T60: a path of 100 000 characters is refused at once', () => {
  const started = performance.now();
  expect(isRepoPath('../'.repeat(33_334))).toBe(false);
  // A regular expression that runs away takes far longer.
  expect(performance.now() - started).toBeLessThan(2_000);
});
