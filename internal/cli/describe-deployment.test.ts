import { describe, expect, test } from '@jest/globals';
import { DeploymentStatus, DeploymentStep } from '../db/generated/enums.ts';
import type { Deployment } from './api-views.ts';
import { describeChange, describeCommit, describeFailure, describeSeconds } from './describe-deployment.ts';

const failed = {
  id: 'q6wlnf4j3e',
  app_name: 'shop',
  status: 'failed',
  failure_code: 'exited_early',
  failure_reason: 'The process ended with exit code 1.',
  failure_advice: 'Read the last log lines.',
  log_tail: ['Error: DATABASE_URL is not set'],
} as unknown as Deployment;

describe('a deployment that did not go live', () => {
  test('A24: is told with code, reason, advice and its last lines', () => {
    expect(describeFailure(failed, ['a line of the build'])).toEqual([
      'Deployment q6wlnf4j3e of shop failed (exited_early).',
      'The process ended with exit code 1.',
      'Read the last log lines.',
      'Its last lines:',
      '  | Error: DATABASE_URL is not set',
    ]);
  });

  test('A24: without last words of its own is told with the end of the log', () => {
    const lines = describeFailure({ ...failed, log_tail: [], failure_advice: null }, ['npm ERR!']);
    expect(lines.slice(1)).toEqual([
      'The process ended with exit code 1.',
      'Its last lines:',
      '  | npm ERR!',
    ]);
  });

  test.each([
    ['cancelled', 'Deployment q6wlnf4j3e of shop was cancelled.'],
    ['superseded', 'Deployment q6wlnf4j3e of shop was superseded by a newer one.'],
  ] as const)('because it was %s has no reason to tell', (status, line) => {
    expect(describeFailure({ ...failed, status }, ['x'])).toEqual([line]);
  });
});

describe('a change', () => {
  test.each([
    ['pending', null, 'Waiting for a worker'],
    ['building', 'cloning', 'Cloning'],
    ['deploying', 'gating', 'Waiting until it answers'],
    ['live', 'draining', 'Live'],
    ['live', null, 'Live, with nothing left to do'],
    ['thawing', 'melting', 'thawing'],
  ])('to %s (%s) is "%s"', (status, step, text) => {
    expect(describeChange({ status, step })).toBe(text);
  });

  test('has words for every status and step there is', () => {
    const statuses = Object.values(DeploymentStatus).map((status) => describeChange({ status, step: null }));
    const steps = Object.values(DeploymentStep).map((step) => describeChange({ status: '?', step }));
    for (const text of [...statuses, ...steps]) expect(text).toMatch(/^[A-Z]/);
  });
});

test.each([
  [{ commit_sha: '4f2a9c0e1b7d', requested_sha: null, commit_message: 'Greet\n\nbody' }, '4f2a9c0 Greet'],
  [{ commit_sha: null, requested_sha: 'abcdef0123', commit_message: null }, 'abcdef0'],
  [{ commit_sha: null, requested_sha: null, commit_message: null }, ''],
  [{ commit_sha: null, requested_sha: null, commit_message: '\u001b[2Jx' }, 'x'],
])('the commit of %j is "%s"', (of, text) => {
  expect(describeCommit(of)).toBe(text);
});

test.each([
  [-1, '0 s'],
  [8.4, '8 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7199, '119 min'],
  [7200, '2 h'],
  [172_800, '2 d'],
])('%d seconds are "%s"', (seconds, text) => {
  expect(describeSeconds(seconds)).toBe(text);
});
