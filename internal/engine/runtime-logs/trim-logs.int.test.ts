import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { seedApp } from '../../../test/support/seed.ts';
import type { PrismaClient } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { createLogger } from '../../logger/logger.ts';
import { appendLines } from '../../logs/append-lines.ts';
import { openCursor } from '../../logs/log-cursor.ts';
import { runtimeStreamId } from '../../logs/runtime-stream.ts';
import { trimLogs } from './trim-logs.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const logger = createLogger({ level: 'silent', process: 'worker' });
const settings = { runtimeLogMaxMb: 1, runtimeLogMaxDays: 7, buildLogMaxDays: 30 };

let db: TestDatabase;
let prisma: PrismaClient;
beforeAll(async () => {
  db = await createTestDatabase();
  prisma = db.database.prisma;
});
afterAll(() => db.close());

const trim = (containers: Parameters<typeof trimLogs>[1] = []) =>
  trimLogs({ prisma, logger, settings }, containers);
const line = (text: string, daysAgo = 0) =>
  ({
    source: 'runtime',
    level: 'info',
    stream: 'stdout',
    text,
    at: new Date(Date.now() - daysAgo * DAY_MS),
  }) as const;
const stored = (streamId: string) =>
  prisma.logLine.findMany({ where: { streamId }, orderBy: { seq: 'asc' } });

test('A14: the log of an app is brought within its size, and one within it is left alone', async () => {
  const [large, small] = [runtimeStreamId(newId()), runtimeStreamId(newId())];
  // 2.2 MB with what a line costs beside its text.
  const lines = Array.from({ length: 2000 }, (_, index) => line(`${index} ${'x'.repeat(1000)}`));
  await appendLines(prisma, large, lines);
  await appendLines(prisma, small, lines.slice(0, 100));
  await trim();
  const [marker, ...kept] = await stored(large);
  expect(marker?.text).toBe(
    `${(2000 - kept.length).toLocaleString('en')} older lines were dropped here: an app's log is kept to 1 MB and 7 days.`,
  );
  const bytes = kept.reduce((sum, { text }) => sum + text.length + 100, 0);
  expect(bytes).toBeLessThanOrEqual(1024 * 1024);
  expect(bytes).toBeGreaterThan(0.85 * 1024 * 1024);
  expect(kept.at(-1)?.text).toMatch(/^1999 /);
  expect(await stored(small)).toHaveLength(100);
});

test('A14: … and within its age', async () => {
  const streamId = runtimeStreamId(newId());
  await appendLines(prisma, streamId, [line('old', 8), line('older', 9), line('fresh', 6)]);
  await trim();
  expect((await stored(streamId)).map(({ text }) => text)).toEqual([
    "2 older lines were dropped here: an app's log is kept to 1 MB and 7 days.",
    'fresh',
  ]);
});

test('logs of builds go by age, once, and not while the deployment is under way', async () => {
  const app = await seedApp(prisma);
  const old = new Date(Date.now() - 31 * DAY_MS);
  const streams: string[] = [];
  for (const [status, createdAt] of [
    ['retired', old],
    ['building', old],
    ['live', new Date()],
  ] as const) {
    const id = newId();
    streams.push(id);
    await prisma.deployment.create({
      data: { id, appId: app.id, trigger: 'manual', status, configSnapshot: new Uint8Array() },
    });
    await appendLines(prisma, id, [
      { ...line('a step'), source: 'build' },
      { ...line('done'), source: 'deploy' },
    ]);
    await prisma.logStream.update({ where: { id }, data: { createdAt } });
  }
  const texts = async () =>
    Promise.all(streams.map(async (id) => (await stored(id)).map(({ text }) => text)));
  await trim();
  const marker = '2 older lines were dropped here: build logs are kept 30 days.';
  expect(await texts()).toEqual([[marker], ['a step', 'done'], ['a step', 'done']]);
  await trim();
  expect(await texts()).toEqual([[marker], ['a step', 'done'], ['a step', 'done']]);
  expect(await prisma.logStream.findMany({ where: { expired: true }, select: { id: true } })).toEqual([
    { id: streams[0] },
  ]);
});

test('cursors of containers that are gone for long are forgotten', async () => {
  const app = await seedApp(prisma);
  const ids = ['here', 'gone', 'gone a moment ago'];
  for (const containerId of ids) await openCursor(prisma, { containerId, appId: app.id });
  const updatedAt = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await prisma.logCursor.updateMany({
    where: { containerId: { in: ['here', 'gone'] } },
    data: { updatedAt },
  });
  const here = {
    containerId: 'here',
    containerName: '',
    address: '',
    deploymentId: '',
    attempt: 1,
    appId: app.id,
    replica: 1,
    port: 1,
  };
  await trim([here]);
  const left = await prisma.logCursor.findMany({ where: { appId: app.id } });
  expect(left.map(({ containerId }) => containerId).toSorted()).toEqual(['gone a moment ago', 'here']);
});
