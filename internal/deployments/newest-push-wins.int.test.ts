import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import type { DeploymentTrigger } from '../db/database.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { claimNext } from './deployment-queue.ts';
import { giveBack } from './deployment-store.ts';
import { requestDeployment } from './request-deployment.ts';

const box = new SealedBox(newKey());
const worker = { id: 'worker-a', leaseSeconds: 30 };
let test_: TestDatabase;

beforeAll(async () => {
  test_ = await createTestDatabase();
});
afterAll(() => test_?.close());
beforeEach(async () => {
  await test_.database.prisma.app.deleteMany();
});

const db = () => test_.database.prisma;
const ask = (appId: string, trigger: DeploymentTrigger, commitSha: string | null = null) =>
  requestDeployment(db(), { appId, trigger, commitSha }, box);
const sha = (letter: string) => letter.repeat(40);

async function statuses(): Promise<Record<string, string>> {
  const rows = await db().deployment.findMany({ orderBy: { queueSequence: 'asc' } });
  return Object.fromEntries(rows.map((row) => [row.requestedSha?.[0] ?? row.trigger, row.status]));
}

describe('the newest push wins', () => {
  test('A7: while one is in flight, of B, C and D only D waits', async () => {
    const app = await seedApp(db());
    const a = await ask(app.id, 'push', sha('a'));
    expect((await claimNext(db(), worker))?.deploymentId).toBe(a.id);
    for (const letter of ['b', 'c', 'd']) await ask(app.id, 'push', sha(letter));
    expect(await statuses()).toEqual({ a: 'building', b: 'superseded', c: 'superseded', d: 'pending' });
  });

  test('A7: what a person asked for is never superseded', async () => {
    const app = await seedApp(db());
    for (const trigger of ['created', 'manual', 'api', 'rollback'] as const) await ask(app.id, trigger);
    await ask(app.id, 'push', sha('b'));
    await ask(app.id, 'push', sha('c'));
    expect(await statuses()).toEqual({
      created: 'pending',
      manual: 'pending',
      api: 'pending',
      rollback: 'pending',
      b: 'superseded',
      c: 'pending',
    });
  });

  test('another app keeps what it has', async () => {
    const [one, two] = [await seedApp(db()), await seedApp(db())];
    await ask(one.id, 'push', sha('a'));
    await ask(two.id, 'push', sha('b'));
    expect(await statuses()).toEqual({ a: 'pending', b: 'pending' });
  });

  test('the overtaken one says by which, in its row and as the last words of its log', async () => {
    const app = await seedApp(db());
    const older = await ask(app.id, 'push', sha('a'));
    const newer = await ask(app.id, 'push', sha('b'));
    const row = await db().deployment.findUniqueOrThrow({ where: { id: older.id } });
    expect(row.failureReason).toContain(newer.id);
    expect(row).toMatchObject({ status: 'superseded', failureCode: null, finishedAt: expect.any(Date) });
    const lines = await db().logLine.findMany({ where: { streamId: older.id }, orderBy: { seq: 'asc' } });
    expect(lines.at(-2)?.text).toContain(newer.id);
    expect(JSON.parse(lines.at(-1)?.text ?? '')).toMatchObject({
      status: 'superseded',
      failure_reason: expect.stringContaining(newer.id),
    });
  });

  test('one that waits for another try after a failure of the platform is overtaken too', async () => {
    const app = await seedApp(db());
    await ask(app.id, 'push', sha('a'));
    const claim = await claimNext(db(), worker);
    if (!claim) throw new Error('nothing to claim');
    await giveBack(db(), claim, { outcome: 'retried', pauseSeconds: 60 });
    await ask(app.id, 'push', sha('b'));
    expect(await statuses()).toEqual({ a: 'superseded', b: 'pending' });
  });

  test('F34: of twelve pushes at the same instant one waits', async () => {
    const app = await seedApp(db());
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => ask(app.id, 'push', String(index).padStart(40, '0'))),
    );
    expect(await db().deployment.count({ where: { status: 'pending' } })).toBe(1);
    expect(await db().deployment.count({ where: { status: 'superseded' } })).toBe(11);
    const last = await db().deployment.findFirst({ orderBy: { queueSequence: 'desc' } });
    expect(last?.status).toBe('pending');
  });

  test('pushes and a worker that claims at the same time lose none and run none twice', async () => {
    const app = await seedApp(db());
    for (let round = 0; round < 5; round++) {
      const [, claim] = await Promise.all([
        ask(app.id, 'push', sha('a')),
        claimNext(db(), worker),
        ask(app.id, 'push', sha('b')),
      ]);
      const open = await db().deployment.findMany({ where: { status: { in: ['pending', 'building'] } } });
      expect(open.filter(({ status }) => status === 'building').length).toBe(claim ? 1 : 0);
      expect(open.filter(({ status }) => status === 'pending').length).toBeLessThanOrEqual(1);
      expect(open.length).toBeGreaterThan(0);
      await db().deployment.deleteMany();
    }
  });
});
