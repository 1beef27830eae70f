import { expect, test } from '@jest/globals';
import { rollbackObstacle } from './rollback-obstacle.ts';

const release = { isLive: false, imageTag: 'berth/shop:q6wlnf4j3e', isKept: true };

test.each([
  ['an earlier one', release, null],
  ['the live one', { ...release, isLive: true }, /runs now/],
  ['one whose image was removed by hand', { ...release, imageTag: null }, /gone/],
  ['one that is older than those kept', { ...release, isKept: false }, /last 5/],
])('A10: rolling back to %s', (_name, of, expected) => {
  const obstacle = rollbackObstacle(of);
  if (expected === null) expect(obstacle).toBeNull();
  else expect(obstacle).toMatch(expected);
});
