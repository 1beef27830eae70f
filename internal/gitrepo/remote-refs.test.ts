import { expect, test } from '@jest/globals';
import { chooseDefaultBranch, parseRemoteRefs } from './remote-refs.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

test('reads branches, and the default branch with its commit from HEAD alone', () => {
  const refs = parseRemoteRefs(`ref: refs/heads/trunk\tHEAD\n${A}\tHEAD\n${B}\trefs/heads/feature/x\n`);
  expect(refs.defaultBranch).toBe('trunk');
  expect([...refs.branches]).toEqual([
    ['trunk', A],
    ['feature/x', B],
  ]);
});

test('a branch whose name only ends like the wanted one is another branch', () => {
  const refs = parseRemoteRefs(`${A}\trefs/heads/old/refs/heads/main\n`);
  expect(refs.branches.has('main')).toBe(false);
});

test('tags, pull requests, noise and an empty answer hold no branch', () => {
  const refs = parseRemoteRefs(`${A}\trefs/tags/v1\n${A}\trefs/pull/1/head\nwarning: x\n\n`);
  expect(refs).toEqual({ branches: new Map(), defaultBranch: null });
});

test.each([
  ['main before the default branch', `ref: refs/heads/dev\tHEAD\n${A}\tHEAD\n${B}\trefs/heads/main`, 'main'],
  ['else the default branch', `ref: refs/heads/dev\tHEAD\n${A}\tHEAD`, 'dev'],
  ['none where HEAD names a branch that has no commit', 'ref: refs/heads/dev\tHEAD', null],
  ['none where there is nothing', '', null],
])('without a branch: %s', (_case, output, branch) => {
  expect(chooseDefaultBranch(parseRemoteRefs(output))).toBe(branch);
});
