import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { markDeleting } from '../apps/app-store.ts';
import { newId } from '../db/ids.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { appendLines } from '../logs/append-lines.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { cancelDeployment, stopDeploymentsOf } from './cancel-deployment.ts';
import { type Claim, claimNext, heartbeat, queuePosition } from './deployment-queue.ts';
import {
  CancelRequested,
  claimedRow,
  commitSwitching,
  enterStep,
  finishLive,
  giveBack,
  goLive,
  LeaseLost,
  markFailed,
  recordCandidate,
  returnToPrevious,
} from './deployment-store.ts';
import { requestDeployment } from './request-deployment.ts';

const box = new SealedBox(newKey());
const worker = { id: 'worker-a', leaseSeconds: 30 };
const other = { id: 'worker-b', leaseSeconds: 30 };
let test_: TestDatabase;

beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_.close());
beforeEach(async () => {
  await test_.database.prisma.app.deleteMany();
});

const db = () => test_.database.prisma;
const request = (appId: string) => requestDeployment(db(), { appId, trigger: 'manual' }, box);
const expireLease = (claim: Claim) =>
  db()
    .$executeRaw`UPDATE deployments SET lease_expires_at = now() - interval '1 second' WHERE id = ${claim.deploymentId}`;

async function claimed(by = worker): Promise<Claim> {
  const claim = await claimNext(db(), by);
  if (!claim) throw new Error('nothing to claim');
  return claim;
}

const untilOneWaits = () =>
  waitUntil('a transaction to wait for a lock', async () => {
    const waiting = await db().$queryRaw<unknown[]>`
      SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return waiting.length > 0;
  });

async function bringLive(claim: Claim): Promise<void> {
  await enterStep(db(), claim, 'starting');
  await recordCandidate(db(), claim, 80);
  await commitSwitching(db(), claim);
  await goLive(db(), claim);
}

test('A6: of a project with a limit no more run at a time, however many claim at once', async () => {
  const first = await seedApp(db());
  const apps = [first];
  for (const name of ['b', 'c', 'd']) {
    const { id: _, ...row } = first;
    apps.push(await db().app.create({ data: { ...row, id: newId(), name } }));
  }
  await db().project.update({ where: { id: first.projectId }, data: { deploymentLimit: 2 } });
  for (const { id } of apps) await request(id);
  const stranger = await request((await seedApp(db())).id);
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, index) => claimNext(db(), { id: `worker-${index}`, leaseSeconds: 30 })),
  );
  const taken = claims.flatMap((claim) => (claim ? [claim] : []));
  expect(taken.filter(({ appId }) => apps.some(({ id }) => id === appId))).toHaveLength(2);
  expect(taken.map(({ deploymentId }) => deploymentId)).toContain(stranger.id);

  const [done] = taken.filter(({ deploymentId }) => deploymentId !== stranger.id);
  if (done) await markFailed(db(), done, new DeploymentFailed('build_failed', 'x'));
  expect(await claimNext(db(), worker)).not.toBeNull();
  expect(await claimNext(db(), worker)).toBeNull();
});

describe('the queue', () => {
  test('F35: thirty claimers on twenty apps take each deployment once', async () => {
    for (let index = 0; index < 20; index++) await request((await seedApp(db())).id);
    const claims = await Promise.all(
      Array.from({ length: 30 }, (_, index) => claimNext(db(), { id: `worker-${index}`, leaseSeconds: 30 })),
    );
    // A claimer may leave empty-handed while others hold the rows it looked at; it comes again at its next poll.
    const rest: (Claim | null)[] = [];
    for (let claim = await claimNext(db(), worker); claim; claim = await claimNext(db(), worker))
      rest.push(claim);
    const taken = [...claims, ...rest].flatMap((claim) => claim?.deploymentId ?? []);
    expect(taken).toHaveLength(20);
    expect(new Set(taken).size).toBe(20);
  });

  test('gives one deployment per app at a time, oldest first', async () => {
    const app = await seedApp(db());
    const [first, second] = [await request(app.id), await request(app.id)];
    expect(await queuePosition(db(), second.id)).toBe(2);
    const claim = await claimed();
    expect(claim.deploymentId).toBe(first.id);
    expect(await claimNext(db(), other)).toBeNull();
    await markFailed(db(), claim, new DeploymentFailed('build_failed', 'No.'));
    expect((await claimed(other)).deploymentId).toBe(second.id);
  });

  test('two workers that race for two deployments of one app get one of them', async () => {
    const app = await seedApp(db());
    for (let round = 0; round < 5; round++) {
      await request(app.id);
      await request(app.id);
      const claims = await Promise.all([
        claimNext(db(), worker),
        claimNext(db(), other),
        claimNext(db(), worker),
      ]);
      expect(claims.filter(Boolean).length).toBeLessThanOrEqual(1);
      await db().deployment.deleteMany();
    }
  });

  test('F01: a lost lease is taken over with the next attempt and fence, and the old one writes nothing', async () => {
    const app = await seedApp(db());
    await request(app.id);
    const lost = await claimed();
    await enterStep(db(), lost, 'cloning');
    expect(await claimNext(db(), other)).toBeNull();
    await expireLease(lost);
    const taken = await claimed(other);
    expect(taken).toMatchObject({ deploymentId: lost.deploymentId, attempt: 2, countedAttempts: 2 });
    expect(taken.fence).toBe(lost.fence + 1);
    await expect(enterStep(db(), lost, 'building')).rejects.toThrow(LeaseLost);
    await expect(markFailed(db(), lost, new DeploymentFailed('internal', 'Late.'))).rejects.toThrow(
      LeaseLost,
    );
    expect(await heartbeat(db(), lost, worker)).toBe('lost');
    expect(await heartbeat(db(), taken, other)).toBe('held');
    const attempts = await db().deploymentAttempt.findMany({ orderBy: { attempt: 'asc' } });
    expect(attempts.map((attempt) => [attempt.workerId, attempt.outcome])).toEqual([
      ['worker-a', 'worker_lost'],
      ['worker-b', null],
    ]);
  });

  test('F19: a worker does not take for lost what it has in hand, though its lease ran out; another one does', async () => {
    await request((await seedApp(db())).id);
    const claim = await claimed();
    await expireLease(claim);
    expect(await claimNext(db(), worker, [claim.deploymentId])).toBeNull();
    expect(await heartbeat(db(), claim, worker)).toBe('held');
    await expireLease(claim);
    expect(await claimNext(db(), other, ['abcdefghij'])).toMatchObject({ attempt: 2 });
  });

  test('F09: a deployment handed back is taken at once, and the attempt does not count', async () => {
    const app = await seedApp(db());
    await request(app.id);
    await giveBack(db(), await claimed(), { outcome: 'handed_back', pauseSeconds: 0 });
    expect(await claimed(other)).toMatchObject({ attempt: 2, countedAttempts: 1 });
  });

  test('one tried again after a failure of the platform waits for its pause', async () => {
    const app = await seedApp(db());
    await request(app.id);
    await giveBack(db(), await claimed(), { outcome: 'retried', pauseSeconds: 60 });
    expect(await claimNext(db(), other)).toBeNull();
  });

  test('F44: one that is asked for while its app is being deleted is refused, and not lost with it', async () => {
    const app = await seedApp(db());
    const { userId } = await db().project.findUniqueOrThrow({ where: { id: app.projectId } });
    let answer: Promise<unknown> = Promise.resolve();
    await db().$transaction(async (tx) => {
      await markDeleting(tx, userId, app.id);
      answer = request(app.id).catch((error: unknown) => error);
      await untilOneWaits();
    });
    expect(await answer).toMatchObject({ code: 'app_deleting' });
    expect(await db().deployment.count({ where: { appId: app.id } })).toBe(0);
  });

  test('one of an app that is being deleted is never started', async () => {
    const app = await seedApp(db());
    await request(app.id);
    await db().app.update({ where: { id: app.id }, data: { deletingSince: new Date() } });
    expect(await claimNext(db(), worker)).toBeNull();
  });
});

describe('cancelling', () => {
  test('a waiting deployment ends at once, with a status line', async () => {
    const row = await request((await seedApp(db())).id);
    expect((await cancelDeployment(db(), row.id)).status).toBe('cancelled');
    const lines = await db().logLine.findMany({ where: { streamId: row.id }, orderBy: { seq: 'asc' } });
    expect(lines.map((line) => JSON.parse(line.text).status)).toEqual(['pending', 'cancelled']);
  });

  test('a running one is told by its heartbeat, and cannot switch any more', async () => {
    const row = await request((await seedApp(db())).id);
    const claim = await claimed();
    await enterStep(db(), claim, 'gating');
    await cancelDeployment(db(), row.id);
    expect(await heartbeat(db(), claim, worker)).toBe('cancel_requested');
    await expect(commitSwitching(db(), claim)).rejects.toThrow(CancelRequested);
  });

  test('all of an app ends those that wait and asks the one under way', async () => {
    const app = await seedApp(db());
    const [running, waiting] = [await request(app.id), await request(app.id)];
    const claim = await claimed();
    await stopDeploymentsOf(db(), [app.id]);
    expect(claim.deploymentId).toBe(running.id);
    expect(await heartbeat(db(), claim, worker)).toBe('cancel_requested');
    expect(await db().deployment.findUniqueOrThrow({ where: { id: waiting.id } })).toMatchObject({
      status: 'cancelled',
    });
  });

  test('after the switch it is refused', async () => {
    const row = await request((await seedApp(db())).id);
    const claim = await claimed();
    await enterStep(db(), claim, 'gating');
    await commitSwitching(db(), claim);
    await expect(cancelDeployment(db(), row.id)).rejects.toMatchObject({ code: 'not_cancellable' });
  });
});

describe('going live', () => {
  test('I4: one transaction makes the new one live and retires the one before', async () => {
    const app = await seedApp(db());
    const first = await request(app.id);
    const one = await claimed();
    await bringLive(one);
    await finishLive(db(), one);
    const second = await request(app.id);
    const two = await claimed();
    await bringLive(two);
    const rows = await db().deployment.findMany({ orderBy: { queueSequence: 'asc' } });
    expect(rows.map((row) => [row.id, row.status, row.previousId])).toEqual([
      [first.id, 'retired', null],
      [second.id, 'live', first.id],
    ]);
    expect((await db().app.findUniqueOrThrow({ where: { id: app.id } })).liveDeploymentId).toBe(second.id);
    expect(rows.map((row) => row.routePriority ?? 0)).toEqual(
      rows.map((row) => row.routePriority ?? 0).toSorted((a, b) => a - b),
    );
  });

  test('asked again after a take-over, it still knows its predecessor', async () => {
    const app = await seedApp(db());
    const first = await request(app.id);
    const one = await claimed();
    await bringLive(one);
    await finishLive(db(), one);
    await request(app.id);
    const two = await claimed();
    await bringLive(two);
    await expireLease(two);
    const again = await claimed(other);
    await goLive(db(), again);
    const row = await db().deployment.findUniqueOrThrow({ where: { id: two.deploymentId } });
    expect(row.previousId).toBe(first.id);
  });

  test('a release that dies while its predecessor drains gives the traffic back', async () => {
    const app = await seedApp(db());
    const first = await request(app.id);
    const one = await claimed();
    await bringLive(one);
    await finishLive(db(), one);
    await request(app.id);
    const two = await claimed();
    await bringLive(two);
    await returnToPrevious(
      db(),
      two,
      new DeploymentFailed('exited_early', 'It ended.', { evidence: { exitCode: 3 } }),
    );
    const rows = await db().deployment.findMany({ orderBy: { queueSequence: 'asc' } });
    expect(rows.map((row) => row.status)).toEqual(['live', 'crashed']);
    expect(rows[1]).toMatchObject({ failureCode: 'exited_early', exitCode: 3, leaseOwner: null });
    expect((await db().app.findUniqueOrThrow({ where: { id: app.id } })).liveDeploymentId).toBe(first.id);
  });

  test('F44: waits its turn while the app is being deleted, and neither of the two fails', async () => {
    const app = await seedApp(db());
    await request(app.id);
    const claim = await claimed();
    await enterStep(db(), claim, 'starting');
    await recordCandidate(db(), claim, 80);
    await commitSwitching(db(), claim);
    const { userId } = await db().project.findUniqueOrThrow({ where: { id: app.projectId } });
    let live = Promise.resolve();
    await db().$transaction(async (tx) => {
      await markDeleting(tx, userId, app.id);
      live = goLive(db(), claim);
      await untilOneWaits();
      await stopDeploymentsOf(tx, [app.id]);
    });
    await live;
    expect(await db().deployment.findMany({ where: { appId: app.id } })).toMatchObject([{ status: 'live' }]);
  });

  test('every step that was begun is ended, in order', async () => {
    await request((await seedApp(db())).id);
    const claim = await claimed();
    await enterStep(db(), claim, 'cloning');
    await bringLive(claim);
    await finishLive(db(), claim);
    const steps = await db().stepRun.findMany({ orderBy: { startedAt: 'asc' } });
    expect(steps.map((step) => step.step)).toEqual(['cloning', 'starting', 'switching', 'draining']);
    expect(steps.every((step) => step.endedAt !== null)).toBe(true);
  });
});

describe('I6: what its worker writes into the log of a deployment', () => {
  const write = (claim: Claim) => {
    const line = { source: 'deploy', level: 'info', stream: null, text: 'a word' } as const;
    return appendLines(db(), claim.deploymentId, [line], { owner: claimedRow(claim) });
  };
  const lastLine = (claim: Claim) =>
    db().logLine.findFirst({ where: { streamId: claim.deploymentId }, orderBy: { seq: 'desc' } });

  test('is stored as long as it has it, also while the previous release drains', async () => {
    await request((await seedApp(db())).id);
    const claim = await claimed();
    expect(await write(claim)).not.toBeNull();
    await bringLive(claim);
    await expireLease(claim);
    expect(await write(claim)).not.toBeNull();
    expect(await lastLine(claim)).toMatchObject({ text: 'a word' });
  });

  test.each<[string, (claim: Claim) => Promise<unknown>]>([
    ['has failed', (claim) => markFailed(db(), claim, new DeploymentFailed('internal', 'no'))],
    [
      'was given back and cancelled then',
      async (claim) => {
        await giveBack(db(), claim, { outcome: 'handed_back', pauseSeconds: 0 });
        await cancelDeployment(db(), claim.deploymentId);
      },
    ],
    [
      'is live and drained',
      async (claim) => {
        await bringLive(claim);
        await finishLive(db(), claim);
      },
    ],
    [
      'F37: was taken over',
      async (claim) => {
        await expireLease(claim);
        await enterStep(db(), await claimed(other), 'cloning');
      },
    ],
  ])('is not once the deployment %s', async (_, end) => {
    await request((await seedApp(db())).id);
    const claim = await claimed();
    await end(claim);
    expect(await write(claim)).toBeNull();
    expect(await lastLine(claim)).toMatchObject({ source: 'status' });
  });
});
