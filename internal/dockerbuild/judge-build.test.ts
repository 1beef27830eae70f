import { expect, test } from '@jest/globals';
import { type BuildFacts, judgeBuild, judgeOverdue } from './judge-build.ts';

const MB = 1024 * 1024;
const limits = { silenceSeconds: 60, pids: 100, diskMb: 500, freeDiskMb: 1000 };
const fine: BuildFacts = {
  silentMs: 0,
  crowdedMs: 0,
  couldNotFork: false,
  writtenBytes: 0,
  freeBytes: 5000 * MB,
};

test.each<[string, Partial<BuildFacts>, string | null]>([
  ['nothing is passed', {}, null],
  ['silent up to the limit', { silentMs: 60_000 }, null],
  ['silent beyond it', { silentMs: 60_001 }, 'build_silent'],
  ['without a new process', { couldNotFork: true }, null],
  ['and silent', { couldNotFork: true, silentMs: 60_001 }, 'build_too_many_processes'],
  ['at the limit of processes for a moment', { crowdedMs: 2_999 }, null],
  ['and for long', { crowdedMs: 3_000 }, 'build_too_many_processes'],
  ['it wrote as much as it may', { writtenBytes: 500 * MB }, null],
  ['and more', { writtenBytes: 500 * MB + 1 }, 'build_disk_exceeded'],
  ['as much room as there must be', { freeBytes: 1000 * MB }, null],
  ['less room', { freeBytes: 1000 * MB - 1 }, 'disk_full'],
  ['a disk that cannot be asked', { freeBytes: null }, null],
  ['less room counts before what it wrote', { freeBytes: 0, writtenBytes: 501 * MB }, 'disk_full'],
])('T21: %s', (_, facts, code) => {
  expect(judgeBuild({ ...fine, ...facts }, limits)?.code ?? null).toBe(code);
});

test('T21: the sentence has the numbers', () => {
  const failure = judgeBuild({ ...fine, writtenBytes: 612.7 * MB }, limits);
  expect(failure?.message).toBe('The build has written 612 MB, and may write 500 MB.');
});

test.each([
  [false, 'build_timeout', 'The build took longer than 900 seconds.'],
  [
    true,
    'build_too_many_processes',
    'The build took longer than 900 seconds. Before, it could start no more processes: a step of a build may have 100 at the same time.',
  ],
])('T21: out of time (could start no process: %s)', (couldNotFork, code, message) => {
  expect(judgeOverdue({ couldNotFork }, { timeoutSeconds: 900, pids: 100 })).toMatchObject({ code, message });
});
