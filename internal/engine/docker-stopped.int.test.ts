import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { App } from '../db/database.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import type { Tools } from './job.ts';

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

async function request(): Promise<string> {
  return (await requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box)).id;
}

/** Docker restarts and ends the containers of that deployment, which have no policy by which it starts them. */
function restartDocker(deploymentId: string): void {
  world.dockerRestarted = true;
  for (const found of world.containers.values()) {
    if (found.deploymentId === deploymentId)
      found.state = { ...found.state, status: 'exited', exitCode: 143 };
  }
}

/** The attempt that meets the restart, and what is left for the next one to do. */
async function work(tools: Tools): Promise<void> {
  await worker.work(tools);
  world.dockerRestarted = false;
  await prisma().deployment.updateMany({ data: { notBefore: null } });
}

test('F14: a candidate that a restart of Docker ended in its gate is no fault of the app', async () => {
  const id = await request();
  const { probe } = world.tools;
  const ask: typeof probe.ask = async (target, signal) => {
    restartDocker(id);
    return probe.ask(target, signal);
  };
  await work({ ...world.tools, probe: { ask } });
  expect(await rowOf(id)).toMatchObject({ status: 'pending', failureCode: null });
  await worker.work(world.tools);
  expect(await rowOf(id)).toMatchObject({ status: 'live', attempt: 2 });
});

test('F14: nor is one that it ended while the route was awaited', async () => {
  const id = await request();
  world.at = (point) => {
    if (point === 'switching') restartDocker(id);
  };
  await work(world.tools);
  world.at = () => undefined;
  expect(await rowOf(id)).toMatchObject({ status: 'pending', failureCode: null });
  await worker.work(world.tools);
  expect(await rowOf(id)).toMatchObject({ status: 'live', attempt: 2 });
});

test('F14: a release that it ended in its drain stays live, and is started again', async () => {
  const previousId = await worker.deploy(world, app.id);
  const id = await request();
  world.at = (point) => {
    if (point === 'draining') restartDocker(id);
  };
  await work(world.tools);
  world.at = () => undefined;
  expect(await rowOf(id)).toMatchObject({ status: 'live', step: 'draining' });
  expect(world.events).not.toContain(`remove 1.1 of ${previousId}`);
  world.events.length = 0;
  await worker.work(world.tools);
  expect(await rowOf(id)).toMatchObject({ status: 'live', step: null });
  expect(world.events).toEqual(['start again 1', 'routed 1', `remove 1.1 of ${previousId}`]);
});

test('F14: a release command that it ended has not failed, whatever its exit code says', async () => {
  await prisma().app.update({ where: { id: app.id }, data: { releaseCommand: 'migrate' } });
  for (const exitCode of [143, 0]) {
    const id = await request();
    const { containers } = world.tools;
    const start: typeof containers.start = async (started, signal) => {
      const container = await containers.start(started, signal);
      restartDocker(id);
      const found = world.containers.get(container.containerId);
      if (found) found.state = { ...found.state, exitCode };
      return container;
    };
    await work({ ...world.tools, containers: { ...containers, start } });
    expect(await rowOf(id)).toMatchObject({ status: 'pending', failureCode: null });
    await prisma().deployment.delete({ where: { id } });
  }
});

test('an app that ends while Docker runs on is told so, at once', async () => {
  const id = await request();
  const { probe } = world.tools;
  const ask: typeof probe.ask = async (target, signal) => {
    restartDocker(id);
    world.dockerRestarted = false;
    return probe.ask(target, signal);
  };
  await worker.work({ ...world.tools, probe: { ask } });
  expect(await rowOf(id)).toMatchObject({ status: 'failed', failureCode: 'exited_early', exitCode: 143 });
});
