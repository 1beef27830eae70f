import { describe, expect, test } from '@jest/globals';
import { findProgram, isDebianLike } from './host-facts.ts';

describe('isDebianLike', () => {
  test.each([
    ['PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n', true],
    ['ID=ubuntu\nID_LIKE=debian\n', true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
    ['ID="rhel"\nID_LIKE="fedora"\n', false],
    ['NAME="not debian"\nID=alpine\n', false],
    ['', false],
  ])('%j → %s', (text, expected) => {
    expect(isDebianLike(text)).toBe(expected);
  });
});

test('findProgram takes the first executable of PATH and knows when there is none', () => {
  expect(findProgram('sh', '/nowhere:/bin')).toBe('/bin/sh');
  expect(findProgram('no-such-program-here', '/bin')).toBeNull();
});
