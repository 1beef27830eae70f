import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { BreakableNetwork } from '../../test/support/breakable-network.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../../test/support/private-postgres.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Database, openDatabase } from '../db/database.ts';
import { claimNext } from '../deployments/deployment-queue.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { createLogger } from '../logger/logger.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import type { Tools } from './job.ts';

jest.setTimeout(60_000);

const LEASE_SECONDS = 1;

const box = new SealedBox(newKey());
const logger = createLogger({ level: 'silent', process: 'worker' });

const workerA = new TestWorker(box, { id: 'worker-a', leaseSeconds: LEASE_SECONDS });
const workerB = new TestWorker(box, { id: 'worker-b', leaseSeconds: LEASE_SECONDS });

/** A build that goes on until it is let end. */
function longBuild(world: FakeWorld) {
  let begin = () => {};
  let end = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const images: Tools['images'] = {
    ...world.tools.images,
    async build(request, options) {
      begin();
      await ended;
      return world.tools.images.build(request, options);
    },
  };
  return { images, begun, end: () => end() };
}

describe('a worker whose way to the database is cut', () => {
  let database: TestDatabase;
  let network: BreakableNetwork;
  let cutOff: Database;
  let world: FakeWorld;
  let id: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    network = await BreakableNetwork.before(database.url);
  });
  afterAll(async () => {
    await network.close();
    await database.close();
  });
  beforeEach(async () => {
    cutOff = openDatabase(network.url, logger, { silenceMs: 500 });
    world = fakeWorld(cutOff.prisma);
    const app = await seedApp(prisma(), { healthCheckPath: '/health' });
    ({ id } = await requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box));
  });
  afterEach(async () => {
    network.allow();
    await cutOff.close();
    await prisma().app.deleteMany();
  });

  const prisma = () => database.database.prisma;
  const rowOf = () => prisma().deployment.findUniqueOrThrow({ where: { id } });
  const attempts = async () => {
    const where = { deploymentId: id };
    const rows = await prisma().deploymentAttempt.findMany({ where, orderBy: { attempt: 'asc' } });
    return rows.map(({ workerId, outcome }) => `${workerId} ${outcome}`);
  };

  test.each([
    ['refused', () => network.cut()],
    ['silent', () => [network.refuse(), network.freeze()]],
  ])('F20, F21: %s, stops before the switch while another takes over', async (_how, goAway) => {
    const build = longBuild(world);
    const first = workerA.work({ ...world.tools, images: build.images });
    await build.begun;
    goAway();
    const second = await waitUntil('the lease to be over', () => claimNext(prisma(), workerB.identity));
    build.end();
    await waitUntil('the build to end', () => world.events.includes('build'));
    expect(world.events).toEqual(['clone', 'build']);

    await workerB.run(second, { ...world.tools, prisma: prisma() });
    network.allow();
    await first;
    expect(world.events).toEqual(['clone', 'build', 'clone', 'build', 'start 1', 'open 1', 'routed 1']);
    expect(await rowOf()).toMatchObject({ status: 'live', step: null, attempt: 2 });
    expect(await attempts()).toEqual(['worker-a worker_lost', 'worker-b live']);
    expect([...world.containers.values()].map(({ attempt }) => attempt)).toEqual([2]);
  });

  test('F19: for a moment at any step, goes on in the same attempt', async () => {
    const at: string[] = [];
    world.at = (point) => {
      at.push(point);
      network.cut();
      setTimeout(() => network.allow(), 50);
    };
    await workerA.work(world.tools);
    expect(at.length).toBeGreaterThan(10);
    expect(await rowOf()).toMatchObject({ status: 'live', step: null, attempt: 1 });
  });

  test('is told as that, and not as a fault of ours, when it happens again and again', async () => {
    const { credentials } = world.tools;
    const find: typeof credentials.find = async (of) => {
      network.cut();
      setTimeout(() => network.allow(), 50);
      await cutOff.prisma.user.findMany();
      return credentials.find(of);
    };
    const tools = { ...world.tools, credentials: { find } };
    for (let attempt = 1; attempt <= 3; attempt++) {
      await workerA.work(tools);
      await prisma().deployment.update({ where: { id }, data: { notBefore: null } });
    }
    expect(await attempts()).toEqual(['worker-a retried', 'worker-a retried', 'worker-a failed']);
    expect(await rowOf()).toMatchObject({ status: 'failed', failureCode: 'database_unavailable' });
  });

  test('past the switch, leaves its candidate to whoever goes forward with it', async () => {
    world.at = (point) => {
      if (point === 'routed') throw new Error('Connection terminated unexpectedly');
    };
    await workerA.work(world.tools);
    expect(await rowOf()).toMatchObject({ status: 'deploying', step: 'switching', leaseOwner: null });
    world.at = () => undefined;
    await workerB.work(world.tools);
    expect(world.events.filter((event) => !event.startsWith('open'))).toEqual([
      'clone',
      'build',
      'start 1',
      'routed 1',
    ]);
    expect(await rowOf()).toMatchObject({ status: 'live', step: null });
  });

  test('F14: Docker that does not answer while the previous release drains is no crash of the new one', async () => {
    await workerA.work(world.tools);
    const { appId } = await rowOf();
    const next = await requestDeployment(prisma(), { appId, trigger: 'manual' }, box);
    const { containers } = world.tools;
    const away = async () => {
      throw new DeploymentFailed('docker_unavailable', 'Docker does not answer.');
    };
    const tools = { ...world.tools, containers: { ...containers, establishedConnections: away } };
    await workerA.work(tools);
    const rowOfNext = () => prisma().deployment.findUniqueOrThrow({ where: { id: next.id } });
    expect(await rowOfNext()).toMatchObject({ status: 'live', step: 'draining', leaseOwner: null });

    await workerB.work(world.tools);
    expect(await rowOfNext()).toMatchObject({ status: 'live', step: null });
    expect(await rowOf()).toMatchObject({ status: 'retired' });
    expect([...world.containers.values()].map(({ deploymentId }) => deploymentId)).toEqual([next.id]);
  });
});

describe('F20: the only worker, and Postgres is away for longer than the lease', () => {
  let postgres: PrivatePostgres;
  beforeAll(async () => {
    postgres = await startPrivatePostgres();
  }, 120_000);
  afterAll(() => postgres?.close());

  test('switches nothing while it is away, and goes on when it is back', async () => {
    const { prisma } = postgres.database;
    const world = fakeWorld(prisma);
    const app = await seedApp(prisma, { healthCheckPath: '/health' });
    const { id } = await requestDeployment(prisma, { appId: app.id, trigger: 'manual' }, box);
    const build = longBuild(world);
    const running = workerA.work({ ...world.tools, images: build.images });
    await build.begun;
    await postgres.stop();
    build.end();
    // Nobody can be asked meanwhile.
    await delay(2 * LEASE_SECONDS * 1000);
    expect(world.events).toEqual(['clone', 'build']);

    await postgres.start();
    await running;
    // Where it took long to come back, the deployment was handed back for another attempt.
    await prisma.deployment.updateMany({ data: { notBefore: null } });
    const next = await claimNext(prisma, workerA.identity);
    if (next) await workerA.run(next, world.tools);
    expect(world.events.filter((event) => event === 'open 1')).toHaveLength(1);
    const row = await prisma.deployment.findUniqueOrThrow({ where: { id } });
    expect(row).toMatchObject({ status: 'live', step: null });
  }, 120_000);
});
