import { describe, expect, test } from '@jest/globals';
import {
  addRestarts,
  describeEnd,
  explainCrashLoop,
  hasRecovered,
  isCrashLoop,
  pauseSeconds,
  restartsSince,
} from './judge-liveness.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 12, minute));

describe('M10: restarts since the last look', () => {
  const since = (of: Partial<Parameters<typeof restartsSince>[0]>) =>
    restartsSince({ count: 0, seen: null, liveAt: at(0), recorded: 0, now: at(60), ...of });

  test.each([
    ['what Docker has counted meanwhile', { seen: 2, count: 5 }, 3],
    ['none', { seen: 2, count: 2 }, 0],
    ['a start by hand begins the count anew', { seen: 5, count: 0 }, 0],
    ['… and those after it count', { seen: 5, count: 2 }, 2],
    ['of an old release seen for the first time none, they may be years old', { count: 9 }, 0],
    ['of a young one all of them', { count: 6, now: at(2) }, 6],
    ['… but for those another worker has counted', { count: 6, recorded: 4, now: at(2) }, 2],
    ['… never less than none', { count: 1, recorded: 4, now: at(2) }, 0],
  ])('%s', (_name, of, expected) => {
    expect(since(of)).toBe(expected);
  });
});

describe('F28: a crash loop', () => {
  test('is five restarts within ten minutes of the first', () => {
    let count = addRestarts(null, 1, at(0));
    for (const minute of [3, 6, 8]) count = addRestarts(count, 1, at(minute));
    expect(isCrashLoop(count, 1)).toBe(false);
    expect(isCrashLoop(addRestarts(count, 1, at(10)), 1)).toBe(true);
    expect(addRestarts(count, 1, at(11))).toEqual({ restarts: 1, windowStart: at(11) });
  });

  test('of two replicas is five of each: one look after a start of the machine is none', () => {
    expect(isCrashLoop({ restarts: 9, windowStart: at(0) }, 2)).toBe(false);
    expect(isCrashLoop({ restarts: 10, windowStart: at(0) }, 2)).toBe(true);
  });

  test.each([
    ['ten quiet minutes', { runsAll: true, lastRestart: at(0), now: at(10) }, true],
    ['nine', { runsAll: true, lastRestart: at(0), now: at(9) }, false],
    ['ten with a replica that does not run', { runsAll: false, lastRestart: at(0), now: at(10) }, false],
    ['no restart ever', { runsAll: true, lastRestart: null, now: at(0) }, true],
  ])('is over after %s: %j', (_name, of, expected) => {
    expect(hasRecovered(of)).toBe(expected);
  });

  test('what we start ourselves waits longer each time', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map(pauseSeconds)).toEqual([0, 1, 5, 30, 120, 300, 300]);
  });
});

describe('why it crashed', () => {
  test.each([
    [{ exitCode: 1, outOfMemory: false }, 'ended with exit code 1'],
    [{ exitCode: 137, outOfMemory: true }, 'used more memory than its limit of 128 MB'],
    [{ exitCode: null, outOfMemory: false }, 'ended'],
    [null, 'ended'],
  ])('%j: it %s', (end, expected) => {
    expect(describeEnd(end, 128)).toBe(expected);
  });

  test('has a code, a sentence, the exit code and the last lines', () => {
    const end = { exitCode: 3, outOfMemory: false };
    const crash = explainCrashLoop({ restarts: 6, end, memoryMb: 128, logTail: ['no database'] });
    expect(crash).toMatchObject({
      code: 'crash_loop',
      message: 'The app was restarted 6 times within ten minutes; the last time it ended with exit code 3.',
      evidence: { exitCode: 3, outOfMemory: false, logTail: ['no database'] },
    });
    const eaten = { exitCode: 137, outOfMemory: true };
    expect(explainCrashLoop({ restarts: 6, end: eaten, memoryMb: 128, logTail: [] }).code).toBe(
      'out_of_memory',
    );
  });
});
