import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isBranchName, isCommitSha } from './git-ref.ts';

describe('a branch name', () => {
  test.each([
    'main',
    'feature/a-b.1',
    'release#2',
    'dependabot/npm_and_yarn/web/@types/node-20.1.0',
    'v1.2.3+build',
    '2024-hotfix',
    'größe/日本語',
    'a'.repeat(200),
  ])('%s is accepted', (name) => {
    expect(isBranchName(name)).toBe(true);
  });

  test.each([
    'main; touch /tmp/pwn',
    '$(touch /tmp/pwn)',
    '`touch /tmp/pwn`',
    'main&id',
    'main|id',
    'main\nid',
    'main\n',
    "HEAD'; id; #",
    'main"id',
    'main>x',
    'main\u202e',
    'main\u0000',
    'main\u001b[2J',
  ])('T01: %j is refused, as no branch is worth a shell sign', (name) => {
    expect(isBranchName(name)).toBe(false);
  });

  test.each([
    '--upload-pack=touch /tmp/p',
    '-u',
    '--orphan=x',
    '--config=core.hooksPath=/tmp',
    '-cx=y',
    '-',
    '@{-1}',
    'main@{1}',
    'a..b',
    'a//b',
    '/a',
    'a/',
    'a.',
    'a.lock',
    'a.lock/b',
    '.a',
    'a/.b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a*',
    'a\\b',
    '+main',
    '',
    'a'.repeat(201),
  ])('T02: %j is refused, as an option, a range or no ref of Git', (name) => {
    expect(isBranchName(name)).toBe(false);
  });

  test('T60: a name of 100 000 characters is refused at once', () => {
    const started = performance.now();
    expect(isBranchName('a/'.repeat(50_000))).toBe(false);
    // A regular expression that runs away takes far longer.
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('T02: whatever is accepted neither begins with a dash nor holds white space or a control', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        if (isBranchName(text)) expect(text).not.toMatch(/^-|[\s\p{Cc}\p{Bidi_Control}]/u);
      }),
      { numRuns: 2000 },
    );
  });
});

test('a commit is named by all of its 40 hex digits', () => {
  expect(isCommitSha('0123456789abcdef0123456789abcdef01234567')).toBe(true);
  expect(isCommitSha('0123456789ABCDEF0123456789abcdef01234567')).toBe(true);
  for (const text of ['', 'abc1234', 'HEAD', 'g'.repeat(40), 'a'.repeat(41), `${'a'.repeat(40)}\n`]) {
    expect(isCommitSha(text)).toBe(false);
  }
});
