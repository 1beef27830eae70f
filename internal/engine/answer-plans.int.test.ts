import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { askForPlan, claimPlan } from '../plans/plan-store.ts';
import { answerPlans } from './answer-plans.ts';
import { deploymentFacts } from './reconcile-store.ts';

let database: TestDatabase;
let world: FakeWorld;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await prisma().buildPlanRequest.deleteMany();
  world = fakeWorld(prisma());
});

const prisma = () => database.database.prisma;
const ask = () =>
  askForPlan(prisma(), {
    userId: 'u234567abc',
    repoUrl: 'https://github.com/acme/shop.git',
    branch: null,
    rootDirectory: '.',
    framework: 'auto',
  });

/** One worker until that plan is answered. */
async function answered(id: string) {
  const stop = new AbortController();
  const working = answerPlans(world.tools, {
    identity: { id: 'worker-a' },
    pollIntervalMs: 20,
    notifications: null,
    signal: stop.signal,
  });
  const plan = await waitUntil('the plan to be answered', async () => {
    const row = await prisma().buildPlanRequest.findUniqueOrThrow({ where: { id } });
    return row.finishedAt ? row : null;
  });
  stop.abort();
  await working;
  return plan;
}

test('a plan tells framework, commands and Dockerfile of a repository', async () => {
  world.tools.repository.read = async () => ({
    files: ['index.html'],
    paths: ['index.html'],
    texts: {},
    packageJson: null,
    dockerfileFound: false,
    workspace: null,
  });
  const { id } = await ask();
  expect(await answered(id)).toMatchObject({
    status: 'done',
    result: {
      framework: 'static',
      branch: 'main',
      port: 8080,
      dockerfile: expect.stringContaining('FROM nginx'),
      why: expect.stringContaining('index.html'),
    },
  });
});

test('a repository that brings a Dockerfile is told to', async () => {
  const { id } = await ask();
  expect(await answered(id)).toMatchObject({ result: { framework: 'dockerfile', dockerfile: null } });
});

test('one that cannot be cloned ends failed, with code, reason and advice', async () => {
  world.checkout = async () => {
    throw new DeploymentFailed('branch_not_found', 'There is no branch main.');
  };
  const { id } = await ask();
  expect(await answered(id)).toMatchObject({
    status: 'failed',
    failureCode: 'branch_not_found',
    failureReason: expect.stringContaining('There is no branch main. Push the branch'),
  });
});

test('a plan is one worker’s until its lease is over, and its folder is no leftover meanwhile', async () => {
  const { id } = await ask();
  const worker = { id: 'worker-b', leaseSeconds: 30 };
  const claims = await Promise.all([1, 2, 3].map(() => claimPlan(prisma(), worker)));
  expect(claims.filter((claim) => claim !== null)).toMatchObject([{ id }]);
  expect((await deploymentFacts(prisma(), [id])).get(id)).toMatchObject({ inFlight: true });

  await prisma().$executeRaw`UPDATE build_plans SET lease_expires_at = now() - interval '1 second'`;
  expect(await answered(id)).toMatchObject({ status: 'done' });
});
