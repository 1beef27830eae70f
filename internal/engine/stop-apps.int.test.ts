import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { App } from '../db/database.ts';
import { startApp, stopApp } from '../deployments/bring-back.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { restoreReleases } from './restore-releases.ts';
import { SeenRestarts } from './seen-restarts.ts';
import { AppStopper } from './stop-apps.ts';

const box = new SealedBox(newKey());
const worker = new TestWorker(box);
let database: TestDatabase;
let world: FakeWorld;
let app: App;
let stopper: AppStopper;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().app.deleteMany();
  world = fakeWorld(prisma());
  app = await seedApp(prisma(), { replicas: 2 });
  stopper = new AppStopper({ ...world.tools, box });
});

const prisma = () => database.database.prisma;
const rowOf = (id: string) => prisma().deployment.findUniqueOrThrow({ where: { id } });
const liveId = async () => (await prisma().app.findUniqueOrThrow({ where: { id: app.id } })).liveDeploymentId;

async function look(): Promise<void> {
  await stopper.look(new AbortController().signal);
  await stopper.settled();
}

test('an app that is to stop leaves the routing first, then its containers end, and nothing comes back', async () => {
  const id = await worker.deploy(world, app.id);
  await stopApp(prisma(), app.id);
  await look();
  expect(world.events.slice(0, 2)).toEqual(['close 1', 'close 2']);
  // Side by side, so in any order.
  expect(world.events.slice(2).toSorted()).toEqual([`remove 1.1 of ${id}`, `remove 1.2 of ${id}`]);
  expect(world.containers.size).toBe(0);
  expect(await rowOf(id)).toMatchObject({ status: 'stopped', finishedAt: expect.any(Date) });
  expect(await liveId()).toBeNull();
  await look();
  expect(world.events).toHaveLength(4);
});

test('it is started by the same image through the gate, without a clone or a build', async () => {
  await worker.deploy(world, app.id);
  await stopApp(prisma(), app.id);
  await look();
  world.events.length = 0;
  const { id } = await startApp(prisma(), app.id, box);
  await worker.work(world.tools);
  expect(world.events).toEqual(['start 1', 'start 2', 'open 1', 'open 2', 'routed 1', 'routed 2']);
  expect(await rowOf(id)).toMatchObject({ status: 'live', imageId: 'sha256:one', commitSha: 'a'.repeat(40) });
  expect(await liveId()).toBe(id);
});

test('one that was started again while it drained goes on', async () => {
  await worker.deploy(world, app.id);
  await stopApp(prisma(), app.id);
  world.tools.containers.establishedConnections = async () => {
    await startApp(prisma(), app.id, box).catch(() => undefined);
    return 0;
  };
  await look();
  expect(world.events.slice(-4)).toEqual(['open 1', 'routed 1', 'open 2', 'routed 2']);
  expect(world.containers.size).toBe(2);
});

test('one whose deployment is past its switch is stopped after that has ended', async () => {
  const id = await worker.deploy(world, app.id);
  await prisma().deployment.update({ where: { id }, data: { step: 'draining' } });
  await stopApp(prisma(), app.id);
  await look();
  expect(world.events).toEqual([]);
  await prisma().deployment.update({ where: { id }, data: { step: null } });
  await look();
  expect(world.containers.size).toBe(0);
});

test('of a release that had crashed the history keeps that', async () => {
  const id = await worker.deploy(world, app.id);
  await prisma().deployment.update({ where: { id }, data: { status: 'crashed' } });
  await stopApp(prisma(), app.id);
  await look();
  expect([(await rowOf(id)).status, await liveId()]).toEqual(['crashed', null]);
});

describe('F09: a stop whose worker ends while the app drains', () => {
  const restore = (tools = world.tools) =>
    restoreReleases(
      { ...tools, box },
      { seen: new SeenRestarts(tools.clock), concern: 'all', signal: new AbortController().signal },
    );
  const gates = () => [...world.containers.values()].map(({ gateOpen }) => gateOpen);
  const appLines = async () => {
    const lines = await prisma().logLine.findMany({
      where: { streamId: runtimeStreamId(app.id) },
      orderBy: { seq: 'asc' },
    });
    return lines.map(({ text }) => text);
  };

  /** @returns the release, out of the routing and running on */
  async function interruptedStop(): Promise<string> {
    const id = await worker.deploy(world, app.id);
    await stopApp(prisma(), app.id);
    const shutdown = new AbortController();
    world.tools.containers.establishedConnections = async () => {
      shutdown.abort(new Error('the worker ends'));
      return 1;
    };
    await stopper.look(shutdown.signal);
    await stopper.settled();
    expect(gates()).toEqual([false, false]);
    world.events.length = 0;
    return id;
  }

  test('leaves it to the next one while the app is to stop', async () => {
    await interruptedStop();
    await restore();
    expect(world.events).toEqual([]);
  });

  test('leaves no release without its route when the app is to run again and the deployment for it fails', async () => {
    const id = await interruptedStop();
    world.healthy = false;
    const failed = await worker.deploy(world, app.id);
    expect([(await rowOf(failed)).status, await liveId()]).toEqual(['failed', id]);
    await look();
    await restore();
    expect(world.events).toEqual(['routed 1', 'open 1', 'routed 2', 'open 2']);
    expect(gates()).toEqual([true, true]);
    const lines = [1, 2].map((replica) => `Replica ${replica} was out of the routing and is back in it`);
    expect((await appLines()).slice(-2)).toEqual(lines);
    await restore();
    expect(world.events).toHaveLength(4);
    expect((await appLines()).slice(-2)).toEqual(lines);
  });

  test('closes again what was opened when the app is to stop once more in that moment', async () => {
    await interruptedStop();
    await prisma().app.update({ where: { id: app.id }, data: { desiredState: 'running' } });
    const { gate } = world.tools;
    const open: typeof gate.open = async (ref, replica) => {
      await stopApp(prisma(), app.id);
      await gate.open(ref, replica);
    };
    await restore({ ...world.tools, gate: { ...gate, open } });
    expect(gates()).toEqual([false, false]);
    expect((await appLines()).join()).not.toContain('back in it');
  });
});
