import { describe, expect, test } from '@jest/globals';
import type { FailureCode } from '../errors/deployment-failed.ts';
import { buildFailure, requestFailure } from './build-failure.ts';

const LIMITS = { memoryMb: 512, pids: 100 };

describe('the daemon’s words become a cause', () => {
  const rows: [message: string, step: string | null, exitCode: number | null, code: FailureCode][] = [
    ["The command '/bin/sh -c false' returned a non-zero code: 1", 'RUN false', 1, 'build_failed'],
    ["The command '/bin/sh -c x' returned a non-zero code: 137", 'RUN x', 137, 'build_out_of_memory'],
    ['executor failed running [/bin/sh -c x]: exit code: 7', 'RUN x', 7, 'build_failed'],
    ['pull access denied for x, repository does not exist', 'FROM x', null, 'base_image_unavailable'],
    ['Get "https://registry.example/v2/": dial tcp: lookup failed', 'FROM x', null, 'base_image_unavailable'],
    [
      'invalid from flag value x:1: pull access denied for x',
      'COPY --from=x:1 a b',
      null,
      'base_image_unavailable',
    ],
    ['toomanyrequests: You have reached your pull rate limit', null, null, 'base_image_unavailable'],
    ['COPY failed: file not found in build context: stat leak', 'COPY leak /', null, 'build_failed'],
    ['write /x: no space left on device', 'FROM x', null, 'disk_full'],
    ['write /x: no space left on device', 'RUN x', 1, 'disk_full'],
    ['dockerfile parse error line 2: unknown instruction: FOO', null, null, 'build_failed'],
  ];
  test.each(rows)('%s', (message, step, exitCode, code) => {
    expect(buildFailure({ message, step, exitCode }, LIMITS).code).toBe(code);
  });

  test.each<[exitCode: number, hitLimit: 'memory' | 'processes' | null, code: FailureCode, words: string]>([
    [1, 'memory', 'build_out_of_memory', 'ran out of memory (exit code 1): a build may use 512 MB'],
    [2, 'processes', 'build_too_many_processes', 'a step of a build may have 100 at the same time'],
    [137, 'processes', 'build_out_of_memory', 'was killed (exit code 137)'],
    [1, null, 'build_failed', 'ended with exit code 1'],
  ])('exit code %d of a step that reached its limit of %s: %s', (exitCode, hitLimit, code, words) => {
    const failure = buildFailure({ message: 'failed', step: 'RUN x', exitCode, hitLimit }, LIMITS);
    expect(failure).toMatchObject({ code, evidence: { exitCode } });
    expect(failure.message).toContain(words);
  });

  test('in one sentence of bounded length', () => {
    const failure = buildFailure(
      { message: `bad\n${'x'.repeat(900)}`, step: 'y'.repeat(900), exitCode: null },
      LIMITS,
    );
    expect(failure.message).toBe(`The step "${'y'.repeat(120)}…" failed: bad.`);
  });
});

test.each<[error: unknown, code: FailureCode]>([
  [Object.assign(new Error('connect ENOENT /var/run/docker.sock'), { code: 'ENOENT' }), 'docker_unavailable'],
  [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 'docker_unavailable'],
  [new Error('aborted'), 'docker_unavailable'],
  [
    Object.assign(new Error('(HTTP code 400) unexpected - dockerfile parse error line 1'), {
      statusCode: 400,
    }),
    'build_failed',
  ],
  [new TypeError('x is undefined'), 'internal'],
])('an error thrown on the way, %s, is %s', (error, code) => {
  expect(requestFailure(error, LIMITS).code).toBe(code);
});

test('a base image that cannot be had is named, in one sentence', () => {
  const error = {
    message: 'connection refused\nmore',
    exitCode: null,
    step: 'FROM --platform=linux/amd64 a.example/b:1 AS x',
  };
  expect(buildFailure(error, LIMITS).message).toBe(
    'The base image a.example/b:1 is not on this machine, and its registry cannot be reached: connection refused.',
  );
});
