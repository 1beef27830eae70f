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
  repositoryReader.read(directory, { rootDirectory, dockerfilePath, textsOf: ['go.mod', 'app/main.py'] });

test('tells the regular files of the root directory, its package.json, and whether the Dockerfile is there', async () => {
  expect(await read('web')).toEqual({
    files: ['package.json'],
    paths: ['docker/Dockerfile', 'package.json'],
    packageJson: '{"name":"web"}',
    texts: {},
    dockerfileFound: false,
    workspace: null,
  });
  expect(await read('./web/', 'docker/Dockerfile')).toMatchObject({ dockerfileFound: true });
  expect(await read('.')).toMatchObject({ files: ['a-file'], packageJson: null, dockerfileFound: false });
  expect(await read('.', 'a-file/Dockerfile')).toMatchObject({ dockerfileFound: false });
});

test('reads the texts that are asked for, and none that is large or a link', async () => {
  await mkdir(join(directory, 'web/app'));
  await writeFile(join(directory, 'web/app/main.py'), 'app = 1');
  await symlink('/etc/hostname', join(directory, 'web/go.mod'));
  expect(await read('web')).toMatchObject({ texts: { 'app/main.py': 'app = 1' } });
  await writeFile(join(directory, 'web/app/main.py'), 'x'.repeat(300_000));
  expect(await read('web')).toMatchObject({ texts: {} });
});

test('lists a few levels, and no more paths than are of use, however many there are', async () => {
  await mkdir(join(directory, 'web/a/b/c'), { recursive: true });
  await mkdir(join(directory, 'web/node_modules'));
  for (const path of ['a/b/seen.go', 'a/b/c/too-deep.go', 'node_modules/skipped.js']) {
    await writeFile(join(directory, 'web', path), '');
  }
  const { paths } = await read('web');
  expect(paths).toEqual(['a/b/seen.go', 'docker/Dockerfile', 'package.json']);
  await Promise.all(
    Array.from({ length: 2_500 }, (_, count) => writeFile(join(directory, `web/many-${count}`), '')),
  );
  expect((await read('web')).paths).toHaveLength(2_000);
});

test.each([
  ['npm', { 'package.json': '{"workspaces":["web"]}', 'package-lock.json': '{}' }],
  ['pnpm', { 'package.json': '{}', 'pnpm-workspace.yaml': 'packages: [web]' }],
])('knows the workspace of %s that a root directory belongs to', async (_name, files) => {
  await rm(join(directory, 'web/package-lock.json'));
  for (const [path, text] of Object.entries(files)) await writeFile(join(directory, path), text);
  const packageJson = files['package.json'];
  expect(await read('./web')).toMatchObject({
    workspace: {
      member: 'web',
      packageJson,
      files: expect.arrayContaining(Object.keys(files)),
      packages: [{ path: 'web', packageJson: '{"name":"web"}' }],
    },
  });
  await writeFile(join(directory, 'web/yarn.lock'), '');
  expect(await read('web')).toMatchObject({ workspace: null });
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
