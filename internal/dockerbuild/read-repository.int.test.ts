import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { repositoryReader } from './read-repository.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-repository-'));
  await mkdir(join(directory, 'web/docker'), { recursive: true });
  await writeFile(join(directory, 'web/package.json'), '{"name":"web"}');
  await writeFile(join(directory, 'web/docker/Dockerfile'), 'FROM x');
  await writeFile(join(directory, 'a-file'), '');
  await symlink('/etc', join(directory, 'etc'));
  await symlink('/etc/passwd', join(directory, 'web/package-lock.json'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const read = (rootDirectory: string, dockerfilePath: string | null = null) =>
  repositoryReader.read(directory, { rootDirectory, dockerfilePath });

test('tells the regular files of the root directory, its package.json, and whether the Dockerfile is there', async () => {
  expect(await read('web')).toEqual({
    files: ['package.json'],
    packageJson: '{"name":"web"}',
    dockerfileFound: false,
  });
  expect(await read('./web/', 'docker/Dockerfile')).toMatchObject({ dockerfileFound: true });
  expect(await read('.')).toEqual({ files: ['a-file'], packageJson: null, dockerfileFound: false });
  expect(await read('.', 'a-file/Dockerfile')).toMatchObject({ dockerfileFound: false });
});

test.each(['gone', 'a-file', 'etc', 'etc/ssl', '../', 'web/../../etc', '/etc'])(
  'a root directory that is no folder of the repository is refused: %s',
  async (path) => {
    await expect(read(path)).rejects.toMatchObject({
      code: 'root_directory_missing',
      message: expect.not.stringContaining(directory),
    });
  },
);

test.each([
  '../../etc/passwd',
  '/etc/passwd',
  'a/../../b',
  'C:\\x',
  'Dockerfile\0',
  'etc/passwd',
  'etc',
  'web',
  'x'.repeat(256),
])('T13: the Dockerfile path %j is refused', async (path) => {
  await expect(read('.', path)).rejects.toMatchObject({
    code: 'dockerfile_invalid',
    message: expect.not.stringContaining(directory),
  });
});

test('a pipe in place of the Dockerfile is refused, and waits for nobody', async () => {
  execFileSync('mkfifo', [join(directory, 'Dockerfile')]);
  await expect(read('.')).rejects.toMatchObject({ code: 'dockerfile_invalid' });
});

test('a package.json of a gigabyte is not read', async () => {
  await truncate(join(directory, 'web/package.json'), 2 ** 30);
  await expect(read('web')).rejects.toMatchObject({ code: 'context_invalid' });
});
