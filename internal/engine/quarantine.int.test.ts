import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeContainer, type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { App } from '../db/database.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';
import { endQuarantine } from '../quarantine/quarantine-store.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { KnownStrays, quarantineStrays } from './quarantine.ts';
import { restoreReleases } from './restore-releases.ts';
import { SeenRestarts } from './seen-restarts.ts';

const box = new SealedBox(newKey());
const worker = new TestWorker(box);
let database: TestDatabase;
let world: FakeWorld;
let known: KnownStrays;
let app: App;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().app.deleteMany();
  await prisma().quarantinedContainer.deleteMany();
  world = fakeWorld(prisma());
  known = new KnownStrays();
  app = await seedApp(prisma());
});

const prisma = () => database.database.prisma;
const look = () => quarantineStrays(world.tools, known);
const listed = () => prisma().quarantinedContainer.findMany();

function only(): FakeContainer {
  const [container, ...others] = world.containers.values();
  if (!container || others.length > 0) throw new Error('exactly one container was expected');
  return container;
}

/** The live container, of which the rows are gone: the app's too, or its deployments only. */
async function stray(gone: 'app' | 'deployments'): Promise<FakeContainer> {
  await worker.deploy(world, app.id);
  if (gone === 'app') await prisma().app.deleteMany();
  else await prisma().deployment.deleteMany();
  return only();
}

describe('F42: a container of ours without a row', () => {
  test('is stopped and listed, once, and not removed', async () => {
    const { containerId, containerName, deploymentId } = await stray('app');
    await look();
    await look();
    expect(world.events).toEqual(['stop 1', 'stop 1']);
    expect(only().state).toMatchObject({ status: 'exited', restartPolicy: 'no' });
    expect(await listed()).toMatchObject([{ containerId, containerName, appId: app.id, deploymentId }]);
  });

  test('is removed after seven days, or by command before', async () => {
    const { containerId } = await stray('app');
    await look();
    await prisma().$executeRaw`UPDATE quarantined_containers SET since = now() - interval '6 days 23 hours'`;
    await look();
    expect(world.containers.size).toBe(1);
    await endQuarantine(prisma(), containerId);
    await look();
    expect([world.containers.size, await listed()]).toEqual([0, []]);
  });

  test('is forgotten when somebody else has removed it', async () => {
    await stray('app');
    await look();
    world.containers.clear();
    await look();
    expect(await listed()).toEqual([]);
  });

  test('is no stray any more when its row is back', async () => {
    const { containerId, containerName, deploymentId } = await (async () => {
      await worker.deploy(world, app.id);
      return only();
    })();
    const reason = 'No row.';
    await prisma().quarantinedContainer.create({
      data: { containerId, containerName, appId: app.id, deploymentId, reason },
    });
    await look();
    expect([await listed(), world.events]).toEqual([[], []]);
  });
});

describe('F51: a database that was restored from a backup', () => {
  test('an app that was deployed after the backup is served on, and told of once', async () => {
    const { deploymentId } = await stray('deployments');
    await look();
    await look();
    expect([world.events, await listed()]).toEqual([[], []]);
    const lines = await prisma().logLine.findMany({
      where: { streamId: runtimeStreamId(app.id), text: { contains: 'does not know' } },
    });
    expect(lines).toMatchObject([{ deploymentId, level: 'warning' }]);
  });

  test('the release that the rows know does not come back beside it', async () => {
    const old = await worker.deploy(world, app.id);
    const oldRow = await prisma().deployment.findUniqueOrThrow({ where: { id: old } });
    await worker.deploy(world, app.id);
    const { deploymentId } = only();
    // As the backup has it: the older one is live, the newer one has never been.
    await prisma().deployment.delete({ where: { id: deploymentId } });
    await prisma().deployment.update({ where: { id: old }, data: { status: 'live', liveAt: oldRow.liveAt } });
    await prisma().app.update({ where: { id: app.id }, data: { liveDeploymentId: old } });
    only().state = { ...only().state, createdAt: new Date(Date.now() + 60_000).toISOString() };

    await look();
    const seen = new SeenRestarts(world.tools.clock);
    const signal = new AbortController().signal;
    await restoreReleases({ ...world.tools, box }, { seen, concern: 'all', signal });
    expect(world.events).toEqual([]);
    expect(only().deploymentId).toBe(deploymentId);

    await worker.deploy(world, app.id);
    expect(only().deploymentId).not.toBe(deploymentId);
  });

  test('releases to come win over it at the proxy', async () => {
    await stray('deployments');
    const repairs = { ...world.tools.repairs, highestRoutePriority: async () => 1_900 };
    await quarantineStrays({ ...world.tools, repairs }, known);
    const id = await worker.deploy(world, app.id);
    const { routePriority } = await prisma().deployment.findUniqueOrThrow({ where: { id } });
    expect(routePriority).toBe(901);
  });

  test('an app that was stopped at the time of the backup is stopped', async () => {
    await stray('deployments');
    await prisma().app.update({ where: { id: app.id }, data: { desiredState: 'stopped' } });
    await look();
    expect(world.events).toEqual(['stop 1']);
  });
});
