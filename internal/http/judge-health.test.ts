import { expect, test } from '@jest/globals';
import type { PlatformWarning } from '../errors/platform-warnings.ts';
import { judgeHealth } from './judge-health.ts';

const [engine, runc] = ['engine_outdated', 'runc_outdated'] as const;

test.each<[string, PlatformWarning[][], ReturnType<typeof judgeHealth>]>([
  ['no worker', [], { status: 'ok', workers: 0, warnings: [] }],
  ['workers that warn of nothing', [[], []], { status: 'ok', workers: 2, warnings: [] }],
  ['a worker that warns', [[runc]], { status: 'degraded', workers: 1, warnings: [runc] }],
  ['one of two', [[], [engine]], { status: 'degraded', workers: 2, warnings: [engine] }],
  [
    'several that warn of the same, in any order',
    [[runc, engine], [engine], [runc]],
    { status: 'degraded', workers: 3, warnings: [engine, runc] },
  ],
])('T17: health of a platform with %s', (_which, reports, verdict) => {
  expect(judgeHealth(reports.map((warnings) => ({ warnings })))).toEqual(verdict);
});
