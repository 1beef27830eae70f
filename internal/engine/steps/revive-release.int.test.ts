import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../../test/support/fake-tools.ts';
import { newKey } from '../../../test/support/new-key.ts';
import { seedApp } from '../../../test/support/seed.ts';
import { TestWorker } from '../../../test/support/test-worker.ts';
import type { App } from '../../db/database.ts';
import { SealedBox } from '../../secrets/sealed-box.ts';
import type { Tools } from '../job.ts';
import type { ContainerState } from '../ports.ts';

const box = new SealedBox(newKey());
const worker = new TestWorker(box);
let database: TestDatabase;
let world: FakeWorld;
let app: App;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().app.deleteMany();
  world = fakeWorld(prisma());
  app = await seedApp(prisma(), { healthCheckPath: '/health' });
});

const prisma = () => database.database.prisma;
const rowOf = (id: string) => prisma().deployment.findUniqueOrThrow({ where: { id } });

/** The machine ends in the middle of the drain: rows as they were, containers ended, the old one started by Docker. */
async function endedWhileDraining(): Promise<{ previousId: string; id: string }> {
  const previousId = await worker.deploy(world, app.id);
  const previous = [...world.containers.values()];
  const id = await worker.deploy(world, app.id);
  becomes({ status: 'exited', exitCode: 137, restartPolicy: 'no', health: 'unhealthy' });
  for (const found of previous) world.containers.set(found.containerId, found);
  await lostWhileDraining(id);
  return { previousId, id };
}

function becomes(state: Partial<ContainerState>): void {
  for (const found of world.containers.values()) found.state = { ...found.state, ...state };
}

async function lostWhileDraining(id: string): Promise<void> {
  await prisma().$executeRaw`
    UPDATE deployments SET step = 'draining', lease_owner = 'gone', lease_expires_at = now() - interval '1 minute'
     WHERE id = ${id}`;
}

/** The world's tools, whose started containers come to that health. */
function startedAgainAs(health: ContainerState['health']): Tools {
  const { repairs } = world.tools;
  const startAgain = async (containerId: string) => {
    await repairs.startAgain(containerId);
    const found = world.containers.get(containerId);
    if (found) found.state = { ...found.state, health };
  };
  return { ...world.tools, repairs: { ...repairs, startAgain } };
}

test('F13: a release whose machine ended while its predecessor drained is started again, and stays', async () => {
  const { previousId, id } = await endedWhileDraining();
  await worker.work(startedAgainAs('healthy'));
  expect(world.events).toEqual(['start again 1', 'routed 1', `remove 1.1 of ${previousId}`]);
  expect(await rowOf(id)).toMatchObject({ status: 'live', step: null });
  expect([...world.containers.values()].map(({ state }) => state.restartPolicy)).toEqual(['always']);
});

test('F13: one that falls again gives the traffic back to its predecessor', async () => {
  const { previousId, id } = await endedWhileDraining();
  const { repairs } = world.tools;
  const tools = { ...world.tools, repairs: { ...repairs, startAgain: async () => undefined } };
  await worker.work(tools);
  expect(await rowOf(id)).toMatchObject({ status: 'crashed', exitCode: 137 });
  expect(await rowOf(previousId)).toMatchObject({ status: 'live' });
  expect([...world.containers.values()].map(({ deploymentId }) => deploymentId)).toEqual([previousId]);
});

test('F13: one that runs and never gets healthy gives the traffic back, too', async () => {
  const { previousId, id } = await endedWhileDraining();
  await worker.work(startedAgainAs('starting'));
  expect(await rowOf(id)).toMatchObject({
    status: 'crashed',
    failureCode: 'health_check_failed',
    failureReason: expect.stringContaining('60 s'),
    logTail: ['the last line'],
  });
  expect(await rowOf(previousId)).toMatchObject({ status: 'live' });
  expect([...world.containers.values()].map(({ deploymentId }) => deploymentId)).toEqual([previousId]);
});

test('F13: one that has no predecessor to give it back to stays, and Docker keeps starting it', async () => {
  const id = await worker.deploy(world, app.id);
  becomes({ status: 'exited', exitCode: 137, restartPolicy: 'no', health: 'unhealthy' });
  await lostWhileDraining(id);
  await worker.work(startedAgainAs('starting'));
  expect(await rowOf(id)).toMatchObject({ status: 'live', step: null });
  expect([...world.containers.values()].map(({ state }) => state.restartPolicy)).toEqual(['always']);
});

test('F08: one that Docker has started again since its predecessor went is no crash', async () => {
  await worker.deploy(world, app.id);
  const id = await worker.deploy(world, app.id);
  becomes({ restartPolicy: 'always', restartCount: 1 });
  await lostWhileDraining(id);
  await worker.work(world.tools);
  expect(await rowOf(id)).toMatchObject({ status: 'live', step: null });
  expect(world.events).toEqual(['routed 1']);
});

test('F13: before that, another process than the one that was gated is a crash', async () => {
  const { previousId, id } = await endedWhileDraining();
  for (const found of world.containers.values()) {
    if (found.deploymentId === id) found.state = { ...found.state, status: 'running', restartCount: 1 };
  }
  await worker.work(world.tools);
  expect(await rowOf(id)).toMatchObject({ status: 'crashed', failureCode: 'exited_early' });
  expect(await rowOf(previousId)).toMatchObject({ status: 'live' });
});
