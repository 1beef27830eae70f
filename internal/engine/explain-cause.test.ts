import { expect, test } from '@jest/globals';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { explainCause, isDatabaseAway } from './explain-cause.ts';

const named = (more: object) => Object.assign(new Error('a detail'), more);
const refused = { code: 'ECONNREFUSED', syscall: 'connect' };

test.each<[string, unknown, string]>([
  ['one of ours', new DeploymentFailed('build_failed', 'x'), 'build_failed'],
  [
    'Docker that is away',
    new DeploymentFailed('docker_unavailable', 'x', { cause: named(refused) }),
    'docker_unavailable',
  ],
  ['a database that refuses', named(refused), 'database_unavailable'],
  ['a database that restarts', named({ cause: { originalCode: '57P01' } }), 'database_unavailable'],
  ['a database whose disk is full', named({ cause: { originalCode: '53100' } }), 'database_unavailable'],
  ['a full disk', named({ code: 'ENOSPC', syscall: 'mkdir', path: '/x' }), 'disk_full'],
  ['a spent quota', named({ code: 'EDQUOT', syscall: 'write' }), 'disk_full'],
  ['a file that is missing', named({ code: 'ENOENT', syscall: 'open', path: '/x' }), 'internal'],
  ['a bug', new TypeError('x is not a function'), 'internal'],
  ['nothing', undefined, 'internal'],
])('%s is told as such', (_what, cause, code) => {
  const failure = explainCause(cause);
  expect(failure.code).toBe(code);
  expect(failure.message).not.toMatch(/a detail|not a function/);
  expect(isDatabaseAway(cause)).toBe(code === 'database_unavailable');
});
