import { expect, test } from '@jest/globals';
import { ensureBusyboxImage } from '../../test/support/base-image.ts';
import { DockerRefused, DockerSocket } from './docker-socket.ts';

const docker = new DockerSocket('unix:///var/run/docker.sock');

test('A22: the engine tells its version, and that of runc, without one of the API being named', async () => {
  expect(await docker.version()).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    apiVersion: expect.stringMatching(/^1\.\d+$/),
    runc: expect.stringMatching(/^\d+\.\d+/),
  });
});

test('a socket that is not there is told by its code', async () => {
  await expect(new DockerSocket('unix:///nowhere/docker.sock').version()).rejects.toMatchObject({
    name: 'DockerUnreachable',
    code: 'ENOENT',
  });
});

test('an image is known by name, and one that nobody has is not', async () => {
  expect(await docker.hasImage(await ensureBusyboxImage())).toBe(true);
  expect(await docker.hasImage('berth-test/nobody-has-this:1')).toBe(false);
});

test('what is there already needs no registry', async () => {
  expect(await docker.pull(await ensureBusyboxImage())).toBe(true);
});

test('an image that cannot be pulled is no error but an answer', async () => {
  expect(await docker.pull('localhost:1/berth-test/nobody-has-this:1')).toBe(false);
});

test("a refusal carries the daemon's own words", async () => {
  const asked = docker.text({ method: 'DELETE', path: '/containers/berth-test-nobody-has-this' });
  await expect(asked).rejects.toBeInstanceOf(DockerRefused);
  await expect(asked).rejects.toThrow('No such container');
});
