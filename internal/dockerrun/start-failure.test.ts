import { expect, test } from '@jest/globals';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { dockerCall } from './docker-call.ts';
import { startFailure } from './start-failure.ts';

const refusal = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message}`), { statusCode });

test.each([
  [
    'OCI runtime create failed: container_linux.go:380: exec: "serve": executable file not found in $PATH: unknown',
    'image_start_failed',
    'The start command "serve" does not exist in the image.',
  ],
  [
    'OCI runtime create failed: exec: "/app": permission denied: unknown',
    'image_start_failed',
    'The start command "/app" is not executable.',
  ],
  ['No command specified', 'image_start_failed', 'The image has neither CMD nor ENTRYPOINT'],
  [
    'unable to find user web: no matching entries in passwd file',
    'image_start_failed',
    'The USER of the image',
  ],
  ['Address already in use', 'internal', 'already in use in its network'],
  ['No such image: sha256:00', 'image_missing', 'is gone'],
  [
    'OCI runtime create failed: exec: "docker-init": executable file not found in $PATH',
    'docker_unavailable',
    'install the package tini',
  ],
  ['something\nnew.', 'image_start_failed', 'Docker could not start it: something new.'],
])('%s', (message, code, reason) => {
  const failure = startFailure(refusal(500, message));
  expect(failure).toMatchObject({ code, message: expect.stringContaining(reason) });
});

test('an error that is no answer of the daemon stays what it is', () => {
  const bug = new TypeError('x is not a function');
  expect(startFailure(bug)).toBe(bug);
});

test('F18: a call that the daemon does not answer ends at its deadline', async () => {
  const frozen = new Promise<never>(() => undefined);
  await expect(dockerCall('start the container', frozen, 20)).rejects.toMatchObject({
    code: 'docker_unavailable',
  });
});

test.each([
  [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'docker_unavailable'],
  [refusal(500, 'write /var/lib/docker/x: no space left on device'), 'disk_full'],
])('%p is told as %s', async (error, code) => {
  const failure = await dockerCall('list containers', Promise.reject(error)).catch((thrown) => thrown);
  expect(failure).toBeInstanceOf(DeploymentFailed);
  expect(failure.code).toBe(code);
});
