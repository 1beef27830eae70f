import { expect, test } from '@jest/globals';
import { BURST_LINES, LINES_PER_SECOND, LineRate } from './line-rate.ts';

/** How many of so many lines a second, over some seconds, are taken. */
function takenOf(
  linesPerSecond: number,
  seconds: number,
): { taken: number; dropped: number; markers: number } {
  const rate = new LineRate();
  let [taken, dropped, markers] = [0, 0, 0];
  for (let index = 0; index < linesPerSecond * seconds; index += 1) {
    if (!rate.take(new Date(1_000 + (index / linesPerSecond) * 1000))) continue;
    taken += 1;
    const missing = rate.takeDropped();
    dropped += missing;
    if (missing > 0) markers += 1;
  }
  return { taken, dropped: dropped + rate.takeDropped(), markers };
}

test('T39: what an app writes in ordinary life is taken, and a burst as well', () => {
  expect(takenOf(LINES_PER_SECOND, 60)).toMatchObject({ taken: LINES_PER_SECOND * 60, dropped: 0 });
  expect(takenOf(BURST_LINES, 1)).toMatchObject({ taken: BURST_LINES, dropped: 0 });
});

test('T39: of a flood so much a second is taken, the rest is counted, with few markers', () => {
  const { taken, dropped, markers } = takenOf(40_000, 20);
  expect(taken + dropped).toBe(800_000);
  expect(taken).toBeGreaterThan(BURST_LINES + 15 * LINES_PER_SECOND);
  expect(taken).toBeLessThan(BURST_LINES + 21 * LINES_PER_SECOND);
  expect(markers).toBeLessThanOrEqual(20);
});
