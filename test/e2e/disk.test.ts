import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import Docker from 'dockerode';
import { pino } from 'pino';
import { DockerImageBuilder } from '../../internal/dockerbuild/image-builder.ts';
import { cleanUp } from '../../internal/engine/clean-up/clean-up.ts';
import { Mirrors } from '../../internal/gitrepo/mirrors.ts';
import { ensureBusyboxImage } from '../support/base-image.ts';
import { ROOMY_DISK, TEST_LIMITS } from '../support/build-limits.ts';
import { type RepositoryFiles, staticBinaryApp } from '../support/fixture-apps.ts';
import { type Platform, startPlatform } from '../support/platform.ts';

jest.setTimeout(300_000);

const APPS = 5;
const DEPLOYMENTS_EACH = 10;
/** Five to roll back to, and the live one. */
const KEPT = 6;
const MB = 1024 * 1024;
const CACHE_MB = 8;

let platform: Platform;
let busybox: string;
beforeAll(async () => {
  busybox = await ensureBusyboxImage();
  platform = await startPlatform({
    settings: { WORKER_CONCURRENCY: '3', BUILD_CACHE_MAX_MB: String(CACHE_MB) },
  });
});
afterAll(() => platform?.close());

/** Its first stage makes three MB that are new each time, and one of them goes into its image. */
function changingApp(release: string): RepositoryFiles {
  const files = staticBinaryApp(busybox, release);
  const random = (megabytes: number, path: string) => `head -c ${megabytes * MB} /dev/urandom > ${path}`;
  const made = `FROM ${busybox} AS made\nRUN ${random(1, '/kept')} && ${random(2, '/left')} && echo ${release}\n`;
  const dockerfile = (files['Dockerfile'] ?? '').replace(
    'COPY www',
    'COPY --from=made /kept /kept\nCOPY www',
  );
  return { ...files, Dockerfile: `${made}${dockerfile}` };
}

async function deployOften(name: string): Promise<string> {
  const repository = await platform.createRepository(name, changingApp(`${name}-1`));
  const { app } = await platform.createLiveApp({
    name,
    repo_url: repository.url,
    health_check_path: '/health',
    drain_seconds: 1,
  });
  for (let count = 2; count <= DEPLOYMENTS_EACH; count += 1) {
    await repository.commit(changingApp(`${name}-${count}`));
    await platform.deploy(app.id);
  }
  return app.id;
}

/** Those with no label of any installation. */
async function foreignImages(docker: Docker): Promise<string[]> {
  const images = await docker.listImages({ all: true });
  return images.filter(({ Labels }) => Labels?.['berth.instance'] === undefined).map(({ Id }) => Id);
}

test('A9: fifty deployments with changing layers leave five images an app beside the live one, and a bounded cache; what is not ours stays', async () => {
  const docker = new Docker();
  const foreign = await foreignImages(docker);
  const volume = `foreign-${platform.instance}`;
  await docker.createVolume({ Name: volume });
  const names = Array.from({ length: APPS }, (_, count) => `disk${count}`);
  const apps = await Promise.all(names.map(deployOften));

  const logger = pino({ level: 'silent' });
  const images = new DockerImageBuilder({
    docker,
    instanceId: platform.instance,
    limits: TEST_LIMITS,
    disk: ROOMY_DISK,
    logger,
  });
  const mirrors = new Mirrors(join(platform.dataDir, 'mirrors'));
  const settings = { buildCacheMaxMb: CACHE_MB, buildKitCacheMb: CACHE_MB, mirrorsMaxMb: CACHE_MB };
  const tools = { prisma: platform.prisma, images, mirrors, logger, settings };
  const before = (await images.list({})).length;
  expect(before).toBe(APPS * DEPLOYMENTS_EACH);
  // Images of the last hour are never touched, so it is two hours later now.
  const now = Date.now() + 2 * 60 * 60 * 1000;
  const foretold = await cleanUp(tools, { dryRun: true, now });
  expect((await images.list({})).length).toBe(before);
  await cleanUp(tools, { now });

  for (const appId of apps) expect(await images.list({ appId })).toHaveLength(KEPT);
  const cache = (await images.cachedLayers()).filter(({ isNeeded }) => !isNeeded);
  expect(cache.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(CACHE_MB * MB);
  expect(foretold.map(({ kind, count }) => [kind, count])).toContainEqual([
    'images',
    APPS * (DEPLOYMENTS_EACH - KEPT),
  ]);

  expect(await foreignImages(docker)).toEqual(expect.arrayContaining(foreign));
  expect((await docker.listVolumes()).Volumes.map(({ Name }) => Name)).toContain(volume);
  await docker.getVolume(volume).remove();
  for (const name of names) {
    expect((await platform.http(`${name}.localhost`)).body).toContain(`${name}-${DEPLOYMENTS_EACH}`);
  }
});
