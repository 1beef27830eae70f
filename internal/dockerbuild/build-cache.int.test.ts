import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ensureBusyboxImage, ensureNodeImage } from '../../test/support/base-image.ts';
import { BuildLab } from '../../test/support/build-lab.ts';
import { planBuild, READ_FILES } from '../engine/plan-build.ts';
import type { BuiltImage } from '../engine/ports.ts';
import { repositoryReader } from './read-repository.ts';

const lab = new BuildLab();
let busybox = '';
let node = '';

beforeAll(async () => {
  [busybox, node] = [await ensureBusyboxImage(), await ensureNodeImage()];
}, 120_000);
afterEach(() => lab.emptyContext());
afterAll(() => lab.close(), 120_000);

test('changed sources install no dependencies anew, a changed lock file does', async () => {
  const name = `cache-${lab.instanceId}`;
  const files = (version: string) => ({
    'package.json': JSON.stringify({ name, version, scripts: { start: 'node server.js' } }),
    'package-lock.json': JSON.stringify({
      name,
      version,
      lockfileVersion: 3,
      packages: { '': { name, version } },
    }),
  });
  await lab.write({ ...files('1.0.0'), 'server.js': '// one' });
  expect(await isInstallCached()).toBe(false);
  await lab.write({ 'server.js': '// two' });
  expect(await isInstallCached()).toBe(true);
  await lab.write({ ...files('1.0.1') });
  expect(await isInstallCached()).toBe(false);
}, 120_000);

test('a build without cache runs every step, on the base images of the machine where none can be pulled', async () => {
  await lab.write({ Dockerfile: `FROM ${busybox}\nRUN head -c 16 /dev/urandom > /random\n` });
  const first = await lab.build();
  expect(await randomOf(first.image)).toEqual(await randomOf((await lab.build()).image));
  const anew = await lab.build({ noCache: true });
  expect(await randomOf(anew.image)).not.toEqual(await randomOf(first.image));
  expect(anew.lines).toContainEqual({
    text: expect.stringMatching(
      /^The base image .* Building with the base images that are on the machine\.$/,
    ),
    level: 'warning',
  });
}, 120_000);

test('a build without cache of a base image that is nowhere fails as it does with one', async () => {
  await lab.write({ Dockerfile: 'FROM berth-test.invalid/nothing:none\n' });
  const { error } = await lab.buildFails({ noCache: true });
  expect(error).toMatchObject({ code: 'base_image_unavailable' });
}, 60_000);

/** Builds what stands in the context without a Dockerfile of its own. */
async function isInstallCached(): Promise<boolean> {
  const facts = await repositoryReader.read(lab.context, {
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
  const { lines } = await lab.build({ dockerfile: { generated: plan.dockerfile } });
  const texts = lines.map(({ text }) => text);
  const [, place] = texts.map((text) => /^Step (\d+\/\d+) : RUN .*npm ci/.exec(text)).find(Boolean) ?? [];
  expect(place).toBeDefined();
  return texts.includes(`Step ${place} is from the cache`);
}

/** What its step wrote. */
async function randomOf({ imageId }: BuiltImage): Promise<string> {
  const container = await lab.docker.createContainer({ Image: imageId, Cmd: ['od', '-x', '/random'] });
  try {
    await container.start();
    await container.wait();
    return (await container.logs({ stdout: true, follow: false })).toString('latin1');
  } finally {
    await container.remove({ v: true });
  }
}
