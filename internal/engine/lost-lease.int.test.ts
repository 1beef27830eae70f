import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { App } from '../db/database.ts';
import { type Claim, claimNext } from '../deployments/deployment-queue.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { FAULT_POINTS, type FaultPoint } from './fault-points.ts';
import type { Tools } from './job.ts';

jest.setTimeout(60_000);

/** Only a deployment with a release command comes by these. */
const RELEASING: readonly FaultPoint[] = ['releasing', 'releasing-started'];
const POINTS = FAULT_POINTS.filter((point) => !RELEASING.includes(point));
const PAST_SWITCH = POINTS.slice(POINTS.indexOf('switching'));

const box = new SealedBox(newKey());
const sleeper = new TestWorker(box, { id: 'sleeper' });
const successor = new TestWorker(box, { id: 'successor' });
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
const request = () => requestDeployment(prisma(), { appId: app.id, trigger: 'manual' }, box);
const linesOf = (streamId: string) =>
  prisma().logLine.findMany({ where: { streamId }, orderBy: { seq: 'asc' } });
const standing = () =>
  [...world.containers.values()].map(({ deploymentId, attempt }) => `${deploymentId} ${attempt}`);

const deployed = () => successor.deploy(world, app.id);

/** The lease of a worker that sleeps is over, and another one has the deployment. */
function takenOver(id: string): Promise<Claim> {
  return waitUntil('the takeover', async () => {
    await prisma().$executeRaw`
      UPDATE deployments SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}`;
    return claimNext(prisma(), successor.identity);
  });
}

/** Something that is waited for, and told of when somebody does. */
function bed() {
  let wake = () => {};
  let lieDown = () => {};
  const morning = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const asleep = new Promise<void>((resolve) => {
    lieDown = resolve;
  });
  const sleep = () => {
    lieDown();
    return morning;
  };
  return { sleep, asleep, wake: () => wake() };
}

/** A worker that is stopped at this point as by SIGSTOP, while its lease runs out and others go on. */
async function asleepAt(point: FaultPoint, id: string): Promise<() => Promise<void>> {
  const { sleep, asleep, wake } = bed();
  const checkpoint = async (reached: FaultPoint) => {
    if (reached === point) await sleep();
  };
  const running = sleeper.work({ ...world.tools, checkpoint });
  await Promise.race([asleep, running]);
  expect((await rowOf(id)).leaseOwner).toBe('sleeper');
  return () => {
    wake();
    return running;
  };
}

describe('F37: a worker that has slept past its lease', () => {
  test.each(POINTS)('at "%s" changes nothing when it wakes, and leaves nothing', async (point) => {
    await deployed();
    const { id } = await request();
    const wakeUp = await asleepAt(point, id);
    await successor.run(await takenOver(id), world.tools);
    const [row, containers] = [await rowOf(id), standing()];
    const attempts = () => prisma().deploymentAttempt.findMany({ where: { deploymentId: id } });
    const [before, lines] = [await attempts(), await linesOf(id)];
    expect(row).toMatchObject({ status: 'live', step: null });

    await wakeUp();
    expect(await rowOf(id)).toEqual(row);
    expect(await attempts()).toEqual(before);
    expect(await linesOf(id)).toEqual(lines);
    expect(lines.at(-1)).toMatchObject({ source: 'status' });
    expect(standing()).toEqual(containers);
    const routed = await world.tools.routes.read(`x-${id}`);
    expect(routed?.servers).toHaveLength(1);
  });

  test.each(PAST_SWITCH)('at "%s" leaves a release alone that went live after it', async (point) => {
    const { id } = await request();
    const wakeUp = await asleepAt(point, id);
    await successor.run(await takenOver(id), world.tools);
    const later = await deployed();

    await wakeUp();
    expect(standing()).toEqual([`${later} 1`]);
    expect(await rowOf(later)).toMatchObject({ status: 'live', step: null });
    expect(world.events.filter((event) => event.startsWith('remove'))).toEqual([]);
  });

  test('waiting for the proxy does not undo what another one went forward with', async () => {
    const { id } = await request();
    const { clock, routes } = world.tools;
    const { sleep, asleep, wake } = bed();
    let sleptMs = 0;
    const tools: Tools = {
      ...world.tools,
      clock: { ...clock, now: () => clock.now() + sleptMs },
      routes: {
        ...routes,
        async read() {
          await sleep();
          // Its patience for the proxy is over as well.
          sleptMs = 3_600_000;
          return null;
        },
      },
    };
    const running = sleeper.work(tools);
    await asleep;
    await successor.run(await takenOver(id), world.tools);
    wake();
    await running;
    expect(await rowOf(id)).toMatchObject({ status: 'live', step: null, candidateAttempt: 1 });
    expect(standing()).toEqual([`${id} 1`]);
    expect(world.events).not.toContain('close 1');
  });
});
