import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BuildLab } from '../../test/support/build-lab.ts';
import {
  type FaultyRegistry,
  type RegistryAnswer,
  startFaultyRegistry,
} from '../../test/support/faulty-registry.ts';

/** F47: the registry of a base image in trouble, asked by the real daemon; it speaks plain HTTP to loopback. */
const lab = new BuildLab({ pullPausesMs: [10, 20, 30] });
const { docker } = lab;
let registry: FaultyRegistry;
let texts: string[] = [];
const images = new Set<string>();

beforeEach(async () => {
  registry = await startFaultyRegistry();
  images.add(registry.image);
  await lab.write({ file: '' });
  texts = [];
});
afterEach(async () => {
  await lab.removeImages();
  for (const name of images) {
    await docker
      .getImage(name)
      .remove()
      .catch(() => undefined);
  }
  await registry.close();
});
afterAll(() => lab.close());

describe.each([
  ['the classic builder', 'COPY file /'],
  ['BuildKit', 'COPY --chmod=644 file /'],
])('F47: by %s', (_, line) => {
  test.each<[RegistryAnswer]>([['unavailable'], ['cut']])(
    'a registry that is %s and then well is asked again',
    async (answer) => {
      registry.answer(answer, 1);
      await expect(build(line)).resolves.toBeDefined();
    },
    30_000,
  );

  test.each<[RegistryAnswer, string]>([
    ['unavailable', 'its registry cannot be reached'],
    ['too_many_requests', 'its registry limits how often this machine may pull (429)'],
  ])(
    'one that stays %s is asked four times, and then named',
    async (answer, words) => {
      registry.answer(answer);
      const failure = build(line);
      await expect(failure).rejects.toMatchObject({ code: 'base_image_unavailable' });
      await expect(failure).rejects.toThrow(words);
      await expect(failure).rejects.toThrow('It was tried 4 times.');
      expect(texts.filter((text) => text.includes('Trying again in'))).toHaveLength(3);
    },
    30_000,
  );

  test.each<[RegistryAnswer, RegExp]>([
    ['not_found', /is not in its registry/],
    ['forbidden', /does not exist, or this machine may not pull it/],
  ])('an image that is %s is not asked for again', async (answer, words) => {
    registry.answer(answer);
    const failure = build(line);
    await expect(failure).rejects.toMatchObject({ code: 'base_image_unavailable' });
    await expect(failure).rejects.toThrow(words);
    expect(texts.filter((text) => text.includes('Trying again in'))).toEqual([]);
  });

  test('an image that Docker has is used, whatever its registry says', async () => {
    // What BuildKit itself pulls, Docker does not know by its name.
    await (line.includes('--chmod') ? pull() : build(line));
    registry.answer('unavailable');
    await lab.write({ file: 'changed' });
    await expect(build(line)).resolves.toBeDefined();
    await registry.close();
    await lab.write({ file: 'changed again' });
    await expect(build(line)).resolves.toBeDefined();
    registry = await startFaultyRegistry();
  }, 30_000);

  test('a registry that does not listen is named', async () => {
    await registry.close();
    await expect(build(line)).rejects.toThrow('its registry cannot be reached');
    registry = await startFaultyRegistry();
  }, 30_000);
});

async function pull(): Promise<void> {
  const progress: NodeJS.ReadableStream = await docker.pull(registry.image);
  await new Promise((resolve) => docker.modem.followProgress(progress, resolve));
}

async function build(line: string) {
  await lab.write({ Dockerfile: `FROM ${registry.image}\n${line}\n` });
  return await lab.build({}, { onLine: ({ text }) => texts.push(text) });
}
