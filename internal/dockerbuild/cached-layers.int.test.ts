import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureBusyboxImage } from '../../test/support/base-image.ts';
import { BuildLab } from '../../test/support/build-lab.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { layersToRemove } from '../engine/clean-up/choose-layers.ts';

const MB = 1024 * 1024;
const lab = new BuildLab();
const { docker } = lab;
const builder = lab.builder();
let busybox = '';
let count = 0;

beforeAll(async () => {
  busybox = await ensureBusyboxImage();
}, 120_000);
afterAll(async () => {
  await lab.close();
  expect(await builder.cachedLayers()).toEqual([]);
}, 120_000);

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
  await nextSecond();
  await lab.write({
    Dockerfile: `FROM ${busybox} AS build
RUN head -c ${3 * MB} /dev/urandom > /made && echo ${count} > /result
FROM ${busybox}
COPY --from=build /result /result
CMD ["sh"]`,
  });
  return (await lab.build({ appId })).image.imageId;
}

/** Docker tells the age of a layer in whole seconds: those of one second have no order. */
async function nextSecond(): Promise<void> {
  const now = () => Math.floor(Date.now() / 1000);
  const began = now();
  await waitUntil('the next second', () => now() > began, { intervalMs: 20 });
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
}, 120_000);
