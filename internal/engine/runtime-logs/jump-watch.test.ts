import { expect, test } from '@jest/globals';
import { JumpWatch } from './jump-watch.ts';

const ns = (milliseconds: number) => BigInt(milliseconds) * 1_000_000n;

test.each([
  ['a jump met late', 1_000, 1_300, 5_000, true],
  ['lines one after the other', 1_000, 1_010, 5_000, false],
  ['a silence, met as it ends', 1_000, 4_990, 5_000, false],
])('%s: %d → %d at %d: %s', (_, first, second, now, expected) => {
  const watch = new JumpWatch();
  expect(watch.doubts(ns(first), now)).toBe(false);
  expect(watch.doubts(ns(second), now)).toBe(expected);
});

test('a jump that is told again is believed, and so is the beginning of a telling', () => {
  const watch = new JumpWatch();
  watch.doubts(ns(1_000), 5_000);
  expect(watch.doubts(ns(1_300), 5_000)).toBe(true);
  watch.begin();
  expect(watch.doubts(ns(1_000), 5_100)).toBe(false);
  expect(watch.doubts(ns(1_300), 5_100)).toBe(false);
  expect(watch.doubts(ns(2_300), 6_100)).toBe(true);
});
