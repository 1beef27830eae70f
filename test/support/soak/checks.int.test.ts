import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PrismaClient } from '../../../internal/db/database.ts';
import { newId } from '../../../internal/db/ids.ts';
import { type Claim, claimNext, enqueue } from '../../../internal/deployments/deployment-queue.ts';
import { markCancelled } from '../../../internal/deployments/deployment-store.ts';
import { appendLines } from '../../../internal/logs/append-lines.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { seedApp } from '../seed.ts';
import { checkHolders } from './check-holders.ts';
import { checkLogs, checkSecrets } from './check-logs.ts';
import { checkEnds } from './check-requests.ts';
import { recordHolders } from './holder-record.ts';

/** A check that finds nothing proves something only when it would find what is wrong. */
const WORKER = { id: 'first', leaseSeconds: 30 };

let db: TestDatabase;
let prisma: PrismaClient;
let folder: string;
beforeAll(async () => {
  db = await createTestDatabase();
  ({ prisma } = db.database);
  await recordHolders(prisma);
  folder = await mkdtemp(join(tmpdir(), 'berth-soak-'));
  await mkdir(join(folder, 'traefik'));
  for (const file of ['api.log', 'worker.log', 'traefik/traefik.log'])
    await writeFile(join(folder, file), '');
});
afterAll(async () => {
  await db?.close();
  await rm(folder, { recursive: true, force: true });
});

async function claimed(): Promise<Claim> {
  const { id: appId } = await seedApp(prisma);
  const id = newId();
  const configSnapshot = new Uint8Array(1);
  await enqueue(prisma, { id, appId, trigger: 'manual', branch: null, requestedSha: null, configSnapshot });
  const claim = await claimNext(prisma, WORKER);
  if (claim?.deploymentId !== id) throw new Error('another deployment was taken');
  return claim;
}

async function cancelled(): Promise<string> {
  const claim = await claimed();
  await markCancelled(prisma, claim);
  return claim.deploymentId;
}

test('what has ended well breaks no invariant', async () => {
  await cancelled();
  expect([await checkEnds(prisma), await checkLogs(prisma), await checkHolders(prisma)]).toEqual([
    [],
    [],
    [],
  ]);
});

test('I2: one that nobody goes on with is found', async () => {
  const claim = await claimed();
  expect(await checkEnds(prisma)).toEqual([
    expect.stringContaining(
      `deployment ${claim.deploymentId} is building (null), attempt 1; first has it until`,
    ),
  ]);
  await markCancelled(prisma, claim);
});

test('I6: a line that is missing, and a log that does not end with the status, are found', async () => {
  const [lacking, open] = [await cancelled(), await cancelled()];
  await prisma.logLine.deleteMany({ where: { streamId: lacking, seq: 1n } });
  await appendLines(prisma, open, [{ source: 'deploy', level: 'info', stream: null, text: 'one more' }]);
  expect(await checkLogs(prisma)).toEqual([
    expect.stringMatching(`^stream ${lacking} ends at`),
    `the log of ${open} (cancelled) ends with: one more`,
  ]);
  await prisma.logStream.deleteMany({ where: { id: lacking } });
  await prisma.deployment.deleteMany({ where: { id: { in: [lacking, open] } } });
});

test('I7: two at once, a fence that falls or is shared, and an end that is none are found', async () => {
  const first = await cancelled();
  const { appId } = await prisma.deployment.findUniqueOrThrow({ where: { id: first } });
  const second = await cancelled();
  const from = new Date(Date.now() - 1_000);
  await prisma.deploymentAttempt.updateMany({
    where: { deploymentId: { in: [first, second] } },
    data: { startedAt: from },
  });
  await prisma.deployment.update({ where: { id: second }, data: { appId } });
  await prisma.deployment.update({
    where: { id: first },
    data: { leaseOwner: 'second', leaseExpiresAt: new Date() },
  });
  await prisma.deployment.update({ where: { id: first }, data: { fence: 0, status: 'building' } });
  const found = await checkHolders(prisma);
  expect(found).toEqual([
    `deployment ${first}: attempt 1, fence 0, 1 claims up to number 1`,
    expect.stringMatching(/ were worked on at the same time$/),
    `fence 1 of ${first} had the holders first, second`,
    `the fence of ${first} fell from 1 to 0`,
    `${first} was cancelled and became building`,
  ]);
});

test('I8: a secret is found in a row and in a log, also when it is encoded', async () => {
  const canary = `canary-${newId()}${newId()}`;
  const canaries = new Map([['shop', canary]]);
  const look = () => checkSecrets(prisma, { dataDir: folder, canaries });
  expect(await look()).toEqual(['no app has printed its secret']);
  await appendLines(prisma, 'app:x', [
    { source: 'runtime', level: 'info', stream: 'stdout', text: 'the token is ***' },
  ]);
  expect(await look()).toEqual([]);
  const text = Buffer.from(`token ${canary}`).toString('base64');
  await appendLines(prisma, 'app:x', [{ source: 'runtime', level: 'info', stream: 'stdout', text }]);
  await writeFile(join(folder, 'worker.log'), `{"token":"${canary}"}\n`);
  expect(await look()).toEqual(['the secret of shop is in log_lines', 'the secret of shop is in worker.log']);
});
