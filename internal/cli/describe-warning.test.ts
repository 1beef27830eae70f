import { expect, test } from '@jest/globals';
import { describeWarning } from './describe-warning.ts';

test.each([
  ['engine_outdated', /^Docker Engine .*: update it to .* \(engine_outdated\)$/],
  ['runc_outdated', /^runc .*: update Docker and runc.* \(runc_outdated\)$/],
  ['of_a_newer_api', /^of_a_newer_api$/],
])('T17: the warning %s is said in words, as far as they are known', (code, words) => {
  expect(describeWarning(code)).toMatch(words);
});
