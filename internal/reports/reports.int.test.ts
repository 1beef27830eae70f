import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { FakeGithub, type Installation, type Repository } from '../../test/support/fake-github.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { systemClock } from '../clock/clock.ts';
import type { App, DeploymentStatus, PrismaClient } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { appendStatus } from '../deployments/status-line.ts';
import { createGithub } from '../github/github.ts';
import { createLogger } from '../logger/logger.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { storeGithubToken } from '../users/github-token.ts';
import { dropOldReports } from './report-store.ts';
import { type ReportNeeds, runReports, sendDue } from './run-reports.ts';

let testDatabase: TestDatabase;
let prisma: PrismaClient;
let fake: FakeGithub;
let shop: Repository;
let needs: ReportNeeds;
const box = new SealedBox(newKey());

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  prisma = testDatabase.database.prisma;
  fake = await FakeGithub.start();
  fake.addUser('ada');
  shop = await fake.addRepository('ada/shop', { files: { a: '1' } });
  needs = {
    prisma,
    box,
    github: createGithub(fake.settings()),
    clock: systemClock,
    logger: createLogger({ level: 'silent', process: 'worker' }),
    publicUrl: 'https://berth.apps.test',
    entryPoint: { baseDomain: 'apps.test', httpPort: 80 },
    pollIntervalMs: 20,
    hold: async () => true,
    drop: async () => undefined,
  };
});
afterAll(async () => {
  await fake?.close();
  await testDatabase?.close();
});

let app: App;
let installation: Installation;
let sha: string;
beforeEach(async () => {
  app = await seedApp(prisma);
  await prisma.app.update({ where: { id: app.id }, data: { repoUrl: fake.cloneUrl(shop) } });
  installation = fake.install('ada');
  const { userId } = await prisma.project.findUniqueOrThrow({ where: { id: app.projectId } });
  await prisma.githubInstallation.create({
    data: {
      id: BigInt(installation.id),
      accountId: BigInt(installation.account.id),
      accountLogin: 'ada',
      accountType: 'User',
      repositorySelection: 'all',
      userId,
    },
  });
  sha = await shop.git.head();
});
afterEach(async () => {
  fake.heal();
  fake.uninstall(installation);
  fake.world.statuses.length = 0;
  fake.world.deployments.length = 0;
  await prisma.deployment.deleteMany();
  await prisma.githubInstallation.deleteMany();
});

type Facts = Partial<{
  status: DeploymentStatus;
  commitSha: string | null;
  failureCode: string;
  failureReason: string;
}>;

async function addDeployment(facts: Facts = {}): Promise<string> {
  const id = newId();
  const data = { id, appId: app.id, trigger: 'push', requestedSha: sha, ...facts } as const;
  await prisma.deployment.create({ data: { ...data, configSnapshot: new Uint8Array() } });
  await change(id, {});
  return id;
}

/** As every change of status is made: the row, its line, and the outbox in one transaction. */
async function change(id: string, facts: Facts): Promise<void> {
  await prisma.$transaction(async (tx) =>
    appendStatus(tx, await tx.deployment.update({ where: { id }, data: facts })),
  );
}

const queued = (deploymentId: string) =>
  prisma.githubReport.findMany({ where: { deploymentId }, orderBy: { id: 'asc' } });
const states = async (id: string) => (await queued(id)).map(({ state }) => state);
/** As if the time of waiting were over. */
const makeDue = () => prisma.$executeRaw`UPDATE github_reports SET not_before = now() WHERE done_at IS NULL`;
async function sendAll(): Promise<void> {
  while ((await sendDue(needs)) > 0);
}
const commitStates = () => fake.statusesOf(shop).map(({ state }) => state);
const deploymentStates = () =>
  fake.deploymentsOf(shop).map(({ statuses }) => statuses.map(({ state }) => state));

describe('the outbox', () => {
  test('notes each change that GitHub can see, once', async () => {
    const id = await addDeployment();
    for (const status of ['building', 'building', 'deploying', 'live', 'live', 'retired'] as const) {
      await change(id, { status });
    }
    expect(await states(id)).toEqual(['pending', 'in_progress', 'success', 'inactive']);
  });

  test('stays empty for an owner who has given no access', async () => {
    await prisma.githubInstallation.deleteMany();
    expect(await states(await addDeployment())).toEqual([]);

    const { userId } = await prisma.project.findUniqueOrThrow({ where: { id: app.projectId } });
    const store = (scopes: string[]) =>
      storeGithubToken(prisma, box, { userId, token: fake.userToken('ada', scopes), scopes });
    await store(['read:org']);
    expect(await states(await addDeployment())).toEqual([]);
    await store(['repo']);
    expect(await states(await addDeployment())).toEqual(['pending']);
  });

  test('goes with the transaction that it tells of', async () => {
    const id = await addDeployment();
    const failing = prisma.$transaction(async (tx) => {
      const row = await tx.deployment.update({ where: { id }, data: { status: 'building' } });
      await appendStatus(tx, row);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await states(id)).toEqual(['pending']);
  });
});

describe('GitHub is told', () => {
  test('of a deployment from the queue to its end, beside the commit and as a Deployment', async () => {
    const id = await addDeployment();
    for (const status of ['building', 'live', 'retired'] as const) await change(id, { status });
    await sendAll();

    expect(fake.statusesOf(shop)).toMatchObject([
      { sha, state: 'pending', context: 'berth/web', description: 'Waiting in the queue' },
      { state: 'pending', description: 'Building and starting' },
      { state: 'success', target_url: `https://berth.apps.test/api/v1/deployments/${id}` },
    ]);
    const host = `web-${app.id}.localhost`;
    expect(fake.deploymentsOf(shop)).toMatchObject([
      {
        sha,
        environment: 'web',
        payload: { berth_deployment: id },
        statuses: [
          { state: 'queued' },
          { state: 'in_progress' },
          { state: 'success', environment_url: `http://${host}`, description: `Live at ${host}` },
          { state: 'inactive', description: 'Replaced by a newer release', environment_url: '' },
        ],
      },
    ]);
    const { githubDeploymentId } = await prisma.deployment.findUniqueOrThrow({ where: { id } });
    expect(githubDeploymentId).toBe(BigInt(fake.deploymentsOf(shop)[0]?.id ?? 0));
    expect(await queued(id)).toMatchObject(Array(4).fill({ lastError: null, doneAt: expect.any(Date) }));
  });

  test('of a failure, without what only its owner may know', async () => {
    const id = await addDeployment();
    await change(id, { status: 'failed', failureCode: 'build_failed', failureReason: 'RUN exit 7 failed.' });
    await sendAll();
    expect(fake.statusesOf(shop).at(-1)).toMatchObject({
      state: 'failure',
      description: 'Build failed; Berth says why',
    });
    expect(deploymentStates()).toEqual([['queued', 'failure']]);
  });

  test('of the branch’s head as soon as it is known which commit that is', async () => {
    const id = newId();
    const data = { id, appId: app.id, trigger: 'manual', configSnapshot: new Uint8Array() } as const;
    await prisma.deployment.create({ data });
    await change(id, {});
    await change(id, { status: 'building' });
    await sendAll();
    expect(commitStates()).toEqual([]);
    await prisma.deployment.update({ where: { id }, data: { commitSha: sha } });
    await makeDue();
    await sendAll();
    expect(commitStates()).toEqual(['pending']);
    expect(await queued(id)).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
  });

  test('nothing of a deployment that ended before there was a commit', async () => {
    const id = newId();
    const data = { id, appId: app.id, trigger: 'manual', configSnapshot: new Uint8Array() } as const;
    await prisma.deployment.create({ data });
    await change(id, { status: 'building' });
    await change(id, { status: 'failed', failureCode: 'clone_unauthorized', failureReason: 'No.' });
    const before = fake.requests.length;
    await sendAll();
    expect(await queued(id)).toMatchObject(Array(2).fill({ doneAt: expect.any(Date), lastError: null }));
    expect(fake.requests).toHaveLength(before);
  });

  test('nothing of a repository elsewhere', async () => {
    await prisma.app.update({ where: { id: app.id }, data: { repoUrl: 'https://gitlab.com/ada/shop' } });
    const id = await addDeployment();
    const before = fake.requests.length;
    await sendAll();
    expect(await queued(id)).toMatchObject([{ doneAt: expect.any(Date), lastError: null }]);
    expect(fake.requests).toHaveLength(before);
  });
});

describe('F46: GitHub that is away', () => {
  test.each([
    ['has an outage', { kind: 'status', status: 503 }, 10],
    ['breaks the connection', { kind: 'reset' }, 10],
    ['is at its limit', { kind: 'rate_limit', resetInSeconds: 600 }, 600],
  ] as const)(
    'it %s: asked again later, in the same order, with nothing lost or doubled',
    async (_what, fault, seconds) => {
      const id = await addDeployment();
      await change(id, { status: 'building' });
      await change(id, { status: 'live' });
      fake.fail(/statuses|deployments/, fault);
      await sendAll();
      const [first, second] = await queued(id);
      const waits = ((first?.notBefore.getTime() ?? 0) - Date.now()) / 1000;
      expect(waits).toBeGreaterThan(seconds - 5);
      expect(waits).toBeLessThan(seconds + 5);
      expect(first).toMatchObject({
        attempts: 1,
        doneAt: null,
        lastError: expect.stringContaining('GitHub'),
      });
      expect(second).toMatchObject({ attempts: 0, doneAt: null });

      fake.heal();
      await makeDue();
      await sendAll();
      expect(commitStates()).toEqual(['pending', 'pending', 'success']);
      expect(deploymentStates()).toEqual([['queued', 'in_progress', 'success']]);
    },
  );

  test('a Deployment that was made, though nobody heard of it, is not made again', async () => {
    await addDeployment();
    fake.fail(/deployments\/\d+\/statuses$/, { kind: 'reset' });
    await sendAll();
    // As if the worker had been killed before it noted the number.
    await prisma.deployment.updateMany({ data: { githubDeploymentId: null } });
    fake.heal();
    await makeDue();
    await sendAll();
    expect(deploymentStates()).toEqual([['queued']]);
  });

  test('after a day it is given up, and what follows is told', async () => {
    const id = await addDeployment();
    await prisma.$executeRaw`UPDATE github_reports SET created_at = now() - interval '25 hours'`;
    await change(id, { status: 'live' });
    await sendAll();
    expect(await queued(id)).toMatchObject([
      { lastError: expect.stringMatching(/^Given up/) },
      { lastError: null },
    ]);
    expect(commitStates()).toEqual(['success']);
  });
});

describe('F46: GitHub that refuses', () => {
  test('one of both is no hindrance for the other', async () => {
    installation.permissions['deployments'] = 'read';
    const id = await addDeployment();
    await sendAll();
    expect(commitStates()).toEqual(['pending']);
    expect(deploymentStates()).toEqual([]);
    expect(await queued(id)).toMatchObject([
      {
        doneAt: expect.any(Date),
        lastError: expect.stringContaining('has not been granted'),
      },
    ]);
  });

  test('a commit that it does not have is not asked about again', async () => {
    const id = await addDeployment({ commitSha: '0123456789abcdef0123456789abcdef01234567' });
    await sendAll();
    expect(await queued(id)).toMatchObject([{ lastError: expect.stringContaining('No commit found') }]);
  });
});

test('what was done a day ago is dropped, and nothing else', async () => {
  const [old, fresh] = [await addDeployment(), await addDeployment()];
  await sendAll();
  const open = await addDeployment();
  const age = (id: string) => prisma.$executeRaw`
    UPDATE github_reports SET done_at = done_at - interval '25 hours', not_before = not_before - interval '25 hours'
     WHERE deployment_id = ${id}`;
  for (const id of [old, open]) await age(id);
  await dropOldReports(prisma);
  expect([await states(old), await states(fresh), await states(open)]).toEqual([
    [],
    ['pending'],
    ['pending'],
  ]);
});

describe('the loop', () => {
  test('sends what comes until it is stopped, and only while it has the duty', async () => {
    const stop = new AbortController();
    const duty = { isOurs: false, asked: 0, dropped: 0 };
    const hold = async () => {
      duty.asked += 1;
      return duty.isOurs;
    };
    const drop = async () => {
      duty.dropped += 1;
    };
    const running = runReports({ ...needs, hold, drop }, stop.signal);
    const id = await addDeployment();
    await waitUntil('the loop to have asked twice', () => duty.asked > 1);
    expect(commitStates()).toEqual([]);
    duty.isOurs = true;
    await waitUntil('the first report', () => commitStates().length === 1);
    await change(id, { status: 'live' });
    await waitUntil('the second report', () => commitStates().length === 2);
    stop.abort();
    await running;
    expect(duty.dropped).toBe(1);
  });

  test('a fault of ours keeps nobody waiting', async () => {
    const id = await addDeployment();
    const broken = { ...needs, publicUrl: 'https://x', entryPoint: null as never };
    await sendDue(broken);
    expect(await queued(id)).toMatchObject([
      { attempts: 1, doneAt: null, lastError: expect.stringContaining('log') },
    ]);
  });
});
