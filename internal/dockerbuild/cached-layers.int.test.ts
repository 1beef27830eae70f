import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import Dockerode from 'dockerode';
import { pino } from 'pino';
import { ensureBusyboxImage } from '../../test/support/base-image.ts';
import { ROOMY_DISK, TEST_LIMITS } from '../../test/support/build-limits.ts';
import { layersToRemove } from '../engine/clean-up/choose-layers.ts';
import { DockerImageBuilder } from './image-builder.ts';

const MB = 1024 * 1024;
const docker = new Dockerode();
const instanceId = `t${Math.random().toString(36).slice(2, 11)}`;
const builder = new DockerImageBuilder({
  docker,
  instanceId,
  limits: TEST_LIMITS,
  disk: ROOMY_DISK,
  logger: pino({ level: 'silent' }),
});
let busybox = '';
let context = '';
let count = 0;

beforeAll(async () => {
  busybox = await ensureBusyboxImage();
}, 120_000);
beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), 'berth-context-'));
});
afterEach(() => rm(context, { recursive: true, force: true }));
afterAll(async () => {
  for (const { imageId } of await builder.list({})) await builder.remove(imageId);
  // Those without a byte go too.
  await dropLayers(-1);
  expect(await builder.cachedLayers()).toEqual([]);
});

test('A9: what builds leave behind is known by app, and goes oldest first until it fits', async () => {
  const images: string[] = [];
  for (const app of ['app1', 'app1', 'app2']) images.push(await buildTwoStages(app));

  const layers = await builder.cachedLayers();
  const left = layers.filter(({ isNeeded }) => !isNeeded);
  expect(new Set(left.map(({ appId }) => appId))).toEqual(new Set(['app1', 'app2']));
  // Each build left the 3 MB of its first stage; its second stage belongs to its image.
  expect(left.filter(({ bytes }) => bytes >= 3 * MB)).toHaveLength(3);

  await dropLayers(4 * MB);
  const rest = (await builder.cachedLayers()).filter(({ isNeeded }) => !isNeeded);
  expect(rest.filter(({ bytes }) => bytes >= 3 * MB)).toMatchObject([{ appId: 'app2' }]);
  for (const image of images) expect(await builder.inspect(image)).not.toBeNull();
}, 120_000);

test('A9: layers and images of others survive', async () => {
  const foreign = await docker.getContainer(await foreignContainer()).commit({});
  const before = (await docker.listImages({ all: true })).map(({ Id }) => Id);
  await dropLayers(0);
  expect(before).toContain(foreign.Id);
  const after = (await docker.listImages({ all: true })).map(({ Id }) => Id);
  expect(after).toContain(foreign.Id);
  await docker.getImage(foreign.Id).remove();
}, 60_000);

/** With a first stage whose 3 MB are new each time. */
async function buildTwoStages(appId: string): Promise<string> {
  count += 1;
  await writeFile(
    join(context, 'Dockerfile'),
    `FROM ${busybox} AS build
RUN head -c ${3 * MB} /dev/urandom > /made && echo ${count} > /result
FROM ${busybox}
COPY --from=build /result /result
CMD ["sh"]`,
  );
  const ref = {
    deploymentId: `dep${count}`,
    attempt: 1,
    appId,
    appName: 'web',
    projectId: 'p1',
    ownerHash: 'abcdef',
  };
  const request = {
    ref,
    contextDirectory: context,
    dockerfile: { path: 'Dockerfile' },
    buildArguments: {},
    tag: `berth/${instanceId}:${count}`,
  };
  const options = { onLine: () => undefined, signal: new AbortController().signal };
  return (await builder.build(request, options)).imageId;
}

async function dropLayers(maxBytes: number): Promise<void> {
  const layers = await builder.cachedLayers();
  for (const { imageId } of layersToRemove(layers, { maxBytes, busyApps: new Set() })) {
    await builder.removeLayer(imageId);
  }
}

/** Its image has no name and no label, like a layer of ours but for the label. */
async function foreignContainer(): Promise<string> {
  const container = await docker.createContainer({ Image: busybox, Cmd: ['true'] });
  foreignContainers.push(container.id);
  return container.id;
}
const foreignContainers: string[] = [];
afterAll(async () => {
  for (const id of foreignContainers) await docker.getContainer(id).remove();
});
