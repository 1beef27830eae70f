import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import Dockerode from 'dockerode';
import { pino } from 'pino';
import { ensureBusyboxImage, ensureNodeImage } from '../../test/support/base-image.ts';
import { ROOMY_DISK, TEST_LIMITS } from '../../test/support/build-limits.ts';
import { planBuild, READ_FILES } from '../engine/plan-build.ts';
import type { BuildRequest, BuiltImage, Line } from '../engine/ports.ts';
import { DockerImageBuilder } from './image-builder.ts';
import { repositoryReader } from './read-repository.ts';

const docker = new Dockerode();
const instanceId = `t${Math.random().toString(36).slice(2, 11)}`;
const builder = new DockerImageBuilder({
  docker,
  instanceId,
  limits: TEST_LIMITS,
  disk: ROOMY_DISK,
  pullPausesMs: [],
  logger: pino({ level: 'silent' }),
});
let busybox = '';
let node = '';
let context = '';
let count = 0;

beforeAll(async () => {
  [busybox, node] = [await ensureBusyboxImage(), await ensureNodeImage()];
}, 120_000);
beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), 'berth-context-'));
});
afterEach(() => rm(context, { recursive: true, force: true }));
afterAll(async () => {
  for (const { imageId } of await builder.list({})) await builder.remove(imageId);
});

test('changed sources install no dependencies anew, a changed lock file does', async () => {
  const name = `cache-${instanceId}`;
  const files = (version: string) => ({
    'package.json': JSON.stringify({ name, version, scripts: { start: 'node server.js' } }),
    'package-lock.json': JSON.stringify({
      name,
      version,
      lockfileVersion: 3,
      packages: { '': { name, version } },
    }),
  });
  await write({ ...files('1.0.0'), 'server.js': '// one' });
  expect(await isInstallCached()).toBe(false);
  await write({ 'server.js': '// two' });
  expect(await isInstallCached()).toBe(true);
  await write({ ...files('1.0.1') });
  expect(await isInstallCached()).toBe(false);
}, 120_000);

test('a build without cache runs every step, on the base images of the machine where none can be pulled', async () => {
  await write({ Dockerfile: `FROM ${busybox}\nRUN head -c 16 /dev/urandom > /random\n` });
  const first = await build();
  expect(await randomOf(first.image)).toEqual(await randomOf((await build()).image));
  const anew = await build({ noCache: true });
  expect(await randomOf(anew.image)).not.toEqual(await randomOf(first.image));
  expect(anew.lines).toContainEqual({
    text: expect.stringMatching(
      /^The base image .* Building with the base images that are on the machine\.$/,
    ),
    level: 'warning',
  });
}, 120_000);

test('a build without cache of a base image that is nowhere fails as it does with one', async () => {
  await write({ Dockerfile: 'FROM berth-test.invalid/nothing:none\n' });
  await expect(build({ noCache: true })).rejects.toMatchObject({ code: 'base_image_unavailable' });
}, 60_000);

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(context, name), text);
}

/** Builds what stands in the context without a Dockerfile of its own. */
async function isInstallCached(): Promise<boolean> {
  const facts = await repositoryReader.read(context, {
    rootDirectory: '.',
    dockerfilePath: null,
    textsOf: READ_FILES,
  });
  const plan = planBuild(facts, {
    framework: 'auto',
    dockerfilePath: null,
    buildCommand: null,
    startCommand: null,
    outputDirectory: null,
    port: null,
    buildVariables: [],
    images: { node, python: 'none', go: 'none', static: 'none' },
  });
  if (plan.kind !== 'generated') throw new Error('There is no Dockerfile to find.');
  const { lines } = await build({ dockerfile: { generated: plan.dockerfile } });
  const texts = lines.map(({ text }) => text);
  const [, place] = texts.map((text) => /^Step (\d+\/\d+) : RUN .*npm ci/.exec(text)).find(Boolean) ?? [];
  expect(place).toBeDefined();
  return texts.includes(`Step ${place} is from the cache`);
}

async function build(
  change: Partial<BuildRequest> = {},
): Promise<{ image: BuiltImage; lines: readonly Line[] }> {
  count += 1;
  const lines: Line[] = [];
  const request = {
    ref: {
      deploymentId: `dep${count}`,
      attempt: 1,
      appId: 'app1',
      appName: 'web',
      projectId: 'project1',
      ownerHash: 'abcdef',
    },
    contextDirectory: context,
    dockerfile: { path: 'Dockerfile' },
    buildArguments: {},
    tag: `berth/web-${instanceId}:dep${count}`,
    ...change,
  };
  const options = { onLine: (line: Line) => lines.push(line), signal: new AbortController().signal };
  return { image: await builder.build(request, options), lines };
}

/** What its step wrote. */
async function randomOf({ imageId }: BuiltImage): Promise<string> {
  const container = await docker.createContainer({ Image: imageId, Cmd: ['od', '-x', '/random'] });
  try {
    await container.start();
    await container.wait();
    return (await container.logs({ stdout: true, follow: false })).toString('latin1');
  } finally {
    await container.remove({ v: true });
  }
}
