import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { App } from '../db/database.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { restartUnresponsive, UnansweredProbes } from './restart-unresponsive.ts';

const box = new SealedBox(newKey());
const worker = new TestWorker(box);
let database: TestDatabase;
let world: FakeWorld;
let app: App;
let probes: UnansweredProbes;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().app.deleteMany();
  world = fakeWorld(prisma());
  probes = new UnansweredProbes();
});

const prisma = () => database.database.prisma;

async function liveApp(change: {
  restartUnresponsive: boolean;
  healthCheckPath?: string | null;
}): Promise<void> {
  const { restartUnresponsive: wish, healthCheckPath = '/health' } = change;
  app = await seedApp(prisma(), { replicas: 2, healthCheckPath });
  await prisma().app.update({ where: { id: app.id }, data: { restartUnresponsive: wish } });
  await worker.deploy(world, app.id);
}
/** Looks, so many times, fifteen seconds apart. */
async function look(times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    await restartUnresponsive({ ...world.tools, box }, probes, new AbortController().signal);
    await world.tools.clock.sleep(15_000);
  }
}

test('a replica that fails its health path three times over half a minute is restarted, one at a time', async () => {
  await liveApp({ restartUnresponsive: true });
  world.healthy = false;
  await look(2);
  expect(world.events).toEqual([]);
  await look(1);
  expect(world.events).toEqual(['restart 1']);
  const { deploymentId, restarts, lastCause } = await prisma().releaseHealth.findFirstOrThrow();
  expect([deploymentId.length, restarts, lastCause]).toEqual([10, 1, 'did not answer /health (status 500)']);
  const lines = await prisma().logLine.findMany({ where: { streamId: runtimeStreamId(app.id) } });
  expect(lines.map(({ text }) => text).at(-1)).toBe(
    'Replica 1 did not answer /health (status 500) and has been restarted',
  );
});

test('an answer in between begins the count anew', async () => {
  await liveApp({ restartUnresponsive: true });
  world.healthy = false;
  await look(2);
  world.healthy = true;
  await look(1);
  world.healthy = false;
  await look(2);
  expect(world.events).toEqual([]);
});

test.each([
  ['did not ask for it', { restartUnresponsive: false }],
  ['has no health path', { restartUnresponsive: true, healthCheckPath: null }],
])('an app that %s is never restarted', async (_name, change) => {
  await liveApp(change);
  world.healthy = false;
  await look(6);
  expect(world.events).toEqual([]);
});
