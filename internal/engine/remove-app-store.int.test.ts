import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { seedApp } from '../../test/support/seed.ts';
import { newId } from '../db/ids.ts';
import { appendLines } from '../logs/append-lines.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';
import { deleteAppRow } from './remove-app-store.ts';

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
});
afterAll(() => testDatabase?.close());

test('with an app go its log and what its webhook was sent; those of another stay', async () => {
  const { prisma } = testDatabase.database;
  const [goner, neighbour] = [await seedApp(prisma), await seedApp(prisma)];
  for (const { id } of [goner, neighbour]) {
    const line = { source: 'runtime', level: 'info', stream: 'stdout', text: 'hello' } as const;
    await appendLines(prisma, runtimeStreamId(id), [line]);
    await prisma.webhookDelivery.create({
      data: {
        id: newId(),
        target: `app:${id}`,
        deliveryId: 'the same',
        event: 'ping',
        payload: Buffer.from('sealed'),
        outcomes: { create: { id: newId(), appId: id, outcome: 'recorded', reason: 'ping' } },
      },
    });
  }

  await deleteAppRow(prisma, { id: goner.id, deploymentIds: [] });

  expect(await prisma.app.findMany({ select: { id: true } })).toEqual([{ id: neighbour.id }]);
  const streams = await prisma.logStream.findMany({ select: { id: true } });
  expect(streams).toEqual([{ id: runtimeStreamId(neighbour.id) }]);
  const deliveries = await prisma.webhookDelivery.findMany({ select: { target: true } });
  expect(deliveries).toEqual([{ target: `app:${neighbour.id}` }]);
  expect(await prisma.webhookOutcome.count()).toBe(1);
});
