import { expect, test } from '@jest/globals';
import { readSolveStatus } from './solve-status.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

test('steps and output are read from a line of progress', () => {
  const line = JSON.stringify({
    vertexes: [
      {
        digest: 'sha256:1',
        name: '[2/2] RUN make',
        started: '2026-11-29T00:00:00.123456789Z',
        completed: '2026-11-29T00:00:02.5Z',
        cached: true,
      },
      { digest: 'sha256:2', name: 'later', error: 'process did not complete' },
    ],
    logs: [
      { vertex: 'sha256:1', stream: 1, data: base64('ünï\n') },
      { vertex: 'sha256:1', stream: 2, data: base64('why') },
    ],
  });
  expect(readSolveStatus(line)).toEqual({
    steps: [
      {
        digest: 'sha256:1',
        name: '[2/2] RUN make',
        startedAt: Date.UTC(2026, 10, 29, 0, 0, 0, 123),
        completedAt: Date.UTC(2026, 10, 29, 0, 0, 2, 500),
        cached: true,
        error: '',
      },
      {
        digest: 'sha256:2',
        name: 'later',
        startedAt: null,
        completedAt: null,
        cached: false,
        error: 'process did not complete',
      },
    ],
    output: [
      { stream: 'stdout', text: 'ünï\n' },
      { stream: 'stderr', text: 'why' },
    ],
  });
});

test.each([['{"vertexes":'], ['error: failed to solve: no'], ['[]'], ['']])('%j is no progress', (line) => {
  expect(readSolveStatus(line)).toBeNull();
});

test.each([['{}'], ['{"vertexes":[7,null],"logs":"x"}'], ['{"statuses":[{"id":"x"}]}']])(
  '%j is progress that tells nothing',
  (line) => {
    expect(readSolveStatus(line)).toEqual({ steps: [], output: [] });
  },
);
