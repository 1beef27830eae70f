import { describe, expect, test } from '@jest/globals';
import { nextBackOff } from './back-off.ts';

describe('nextBackOff', () => {
  test('doubles from 0.2 s and stops at 10 s', () => {
    const waits: number[] = [];
    let wait: number | null = null;
    for (let failure = 0; failure < 8; failure++) {
      wait = nextBackOff(wait, 100);
      waits.push(wait);
    }
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  test('begins anew once a process was up for 30 s, not before', () => {
    expect(nextBackOff(6400, 29_999)).toBe(10_000);
    expect(nextBackOff(6400, 30_000)).toBe(200);
  });
});
