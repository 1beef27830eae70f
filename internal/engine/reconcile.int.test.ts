import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import { reserveAddress } from '../deployments/address-store.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { reconcile } from './reconcile.ts';

const box = new SealedBox(newKey());

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('F08: an address whose worker was killed when its container had gone rests; others stay in use', async () => {
  const { prisma } = database.database;
  const world = fakeWorld(prisma);
  const app = await seedApp(prisma, { healthCheckPath: '/health' });
  const worker = new TestWorker(box);
  const retired = await worker.deploy(world, app.id);
  const live = await worker.deploy(world, app.id);
  const { subnet } = await prisma.project.findUniqueOrThrow({ where: { id: app.projectId } });
  const reserve = (deploymentId: string, containerName: string) =>
    reserveAddress(prisma, { projectId: app.projectId, subnet: subnet ?? '', deploymentId, containerName });
  const inUse = async () => {
    const rows = await prisma.containerAddress.findMany({ where: { releasedAt: null } });
    return rows.map(({ containerName }) => containerName).sort();
  };
  const [own = ''] = await inUse();
  await reserve(retired, 'web-gone');
  const { id: waiting } = await requestDeployment(prisma, { appId: app.id, trigger: 'manual' }, box);
  await reserve(waiting, 'web-to-come');
  await reserve(live, 'web-made-anew');
  await reconcile(world.tools);
  expect(await inUse()).toEqual([own, 'web-made-anew', 'web-to-come'].sort());

  // Those of a deployment whose row is gone, too, unless there is the container.
  await prisma.containerAddress.updateMany({
    where: { containerName: { in: ['web-made-anew', own] } },
    data: { deploymentId: null },
  });
  await reconcile(world.tools);
  expect(await inUse()).toEqual([own, 'web-to-come'].sort());
});
