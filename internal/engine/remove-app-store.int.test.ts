import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { newId } from '../db/ids.ts';
import { claimNext } from '../deployments/deployment-queue.ts';
import { claimedRow } from '../deployments/deployment-store.ts';
import { tellOfRelease } from '../deployments/release-marker.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { createLogger } from '../logger/logger.ts';
import { appendLines } from '../logs/append-lines.ts';
import { LogWriter } from '../logs/log-writer.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';
import { lockOpenProject } from '../projects/project-store.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { deleteAppRow, forgetSubnet } from './remove-app-store.ts';

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

test('F44: what is told of an app after it has gone brings none of its logs back', async () => {
  const { prisma } = testDatabase.database;
  const { id } = await seedApp(prisma);
  await requestDeployment(prisma, { appId: id, trigger: 'manual' }, new SealedBox(newKey()));
  const claim = await claimNext(prisma, { id: 'sleeper', leaseSeconds: 30 });
  if (!claim) throw new Error('nothing to claim');
  const { deploymentId } = claim;
  const logger = createLogger({ level: 'silent', process: 'up' });
  const log = new LogWriter({ prisma, streamId: deploymentId, owner: claimedRow(claim), logger });
  const release = { appId: id, deploymentId };
  log.write({ source: 'deploy', level: 'info', stream: null, text: 'Started' });
  await log.flush();
  await tellOfRelease(prisma, release, { text: 'A replica was started again' });
  const streams = { where: { id: { in: [deploymentId, runtimeStreamId(id)] } } };
  expect(await prisma.logStream.count(streams)).toBe(2);

  await deleteAppRow(prisma, { id, deploymentIds: [deploymentId] });
  log.write({ source: 'deploy', level: 'info', stream: null, text: 'Healthy' });
  await log.close();
  await tellOfRelease(prisma, release, { text: 'A replica was started again' });

  expect(await prisma.logStream.count(streams)).toBe(0);
  expect(await prisma.logLine.count({ where: { streamId: { in: streams.where.id.in } } })).toBe(0);
});

const SUBNET = '10.89.4.0/24';

/** An app on its way out whose project has a subnet, of which one address is taken. */
async function goingApp() {
  const { prisma } = testDatabase.database;
  const app = await seedApp(prisma);
  const { id, projectId, repoUrl } = app;
  await prisma.project.update({ where: { id: projectId }, data: { subnet: SUBNET } });
  await prisma.containerAddress.create({ data: { projectId, address: '10.89.4.2', containerName: id } });
  const neighbour = { id: newId(), projectId, name: 'neighbour', repoUrl };
  const network = async () => ({
    subnet: (await prisma.project.findUniqueOrThrow({ where: { id: projectId } })).subnet,
    addresses: await prisma.containerAddress.count({ where: { projectId } }),
  });
  return { prisma, app, neighbour, network };
}

test('with the last app go the subnet of its project and its addresses', async () => {
  const { prisma, app, network } = await goingApp();
  await forgetSubnet(prisma, app);
  expect(await network()).toEqual({ subnet: null, addresses: 0 });
});

test('an app that is just coming into the project keeps both', async () => {
  const { prisma, app, neighbour, network } = await goingApp();
  const waiting = async () => {
    const [row] = await prisma.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return row?.count === 1n;
  };
  const forgotten = await prisma.$transaction(async (tx) => {
    await lockOpenProject(tx, app.projectId);
    await tx.app.create({ data: neighbour });
    const forgetting = forgetSubnet(prisma, app);
    await waitUntil('the one to wait for the other', waiting);
    return { forgetting };
  });
  await forgotten.forgetting;
  expect(await network()).toEqual({ subnet: SUBNET, addresses: 1 });
});
