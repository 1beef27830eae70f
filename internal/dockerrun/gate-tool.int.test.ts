import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import Dockerode from 'dockerode';
import { DockerObjects } from '../../test/support/docker-objects.ts';
import { importImage } from '../host/import-image.ts';
import { packRootFileSystem } from '../host/root-file-system.ts';
import { gateToolPath, installGateTool } from './gate-tool.ts';
import { toolFromImage } from './gate-tool-image.ts';

const run = promisify(execFile);
const BUSYBOX = '/usr/bin/busybox';
const docker = new Dockerode();
const instanceId = `t${process.pid}x${Date.now()}`;
let gateDir: string;

beforeEach(async () => {
  gateDir = await mkdtemp(join(tmpdir(), 'berth-gate-tool-'));
});
afterEach(async () => {
  await rm(gateDir, { recursive: true, force: true });
  await new DockerObjects(instanceId).removeAll();
});

const install = (setting: string | null) =>
  installGateTool({ gateDir, setting, docker, instanceId, image: 'localhost:1/absent:1' });

test('the tool of the machine is put in place, again and again, for every user to run', async () => {
  await install(null);
  await install(BUSYBOX);
  expect((await stat(gateToolPath(gateDir))).mode & 0o777).toBe(0o755);
  expect(await readdir(join(gateDir, '.tool'))).toEqual(['busybox']);
});

test.each([
  ['is not there', '/nowhere/busybox', 'cannot be read'],
  ['needs libraries', process.execPath, 'statically linked'],
])('a setting whose file %s is refused', async (_, setting, words) => {
  await expect(install(setting)).rejects.toThrow(words);
});

test('a static program that is no busybox is refused', async () => {
  const other = join(gateDir, 'other');
  await copyFile('/usr/sbin/ldconfig', other).catch(() => writeFile(other, ''));
  await expect(install(other)).rejects.toMatchObject({ name: 'GateToolUnusable' });
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;
asRoot('a folder from which nothing may be run is found out before any container is started', async () => {
  await run('mount', ['-t', 'tmpfs', '-o', 'noexec', 'none', gateDir]);
  try {
    await expect(install(null)).rejects.toThrow('without noexec');
    expect(await readdir(join(gateDir, '.tool'))).toEqual([]);
  } finally {
    await run('umount', [gateDir]);
  }
});

test('the tool is taken out of an image, whose container does not stay', async () => {
  const image = await importImage(docker, {
    repository: `berth-test/${instanceId}`,
    tag: 'tool',
    files: packRootFileSystem([{ path: '/bin/busybox', from: BUSYBOX }]),
    changes: [`LABEL berth.instance=${instanceId}`],
  });
  const tool = await toolFromImage({ docker, instanceId, image });
  expect(tool.equals(await readFile(BUSYBOX))).toBe(true);
  expect(await new DockerObjects(instanceId).containers()).toEqual([]);
});

test('an image that cannot be pulled ends in a sentence that says what to do', async () => {
  const asked = toolFromImage({ docker, instanceId, image: 'localhost:1/absent:1' });
  await expect(asked).rejects.toThrow(/localhost:1\/absent:1 cannot be pulled.*install busybox-static/);
});
