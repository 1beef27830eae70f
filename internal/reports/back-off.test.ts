import { expect, test } from '@jest/globals';
import { waitSeconds } from './back-off.ts';

test.each([
  [1, null, 10],
  [2, null, 20],
  [5, null, 160],
  [8, null, 900],
  [1000, null, 900],
  [1, 300, 300],
  [5, 30, 160],
  [1, 7200, 7200],
])('after %i tries, GitHub asking for %j: %i seconds', (attempts, asked, seconds) => {
  expect(waitSeconds(attempts, asked)).toBe(seconds);
});
