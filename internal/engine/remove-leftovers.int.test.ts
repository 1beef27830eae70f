import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { removeBuildLeftovers, removeOutlived } from './remove-leftovers.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('F15: steps of builds that nobody makes any more are removed, and those of others left alone', async () => {
  const { prisma } = database.database;
  const world = fakeWorld(prisma);
  const app = await seedApp(prisma);
  const { id } = await requestDeployment(
    prisma,
    { appId: app.id, trigger: 'manual' },
    new SealedBox(newKey()),
  );
  await prisma.deployment.update({ where: { id }, data: { status: 'building', step: 'building' } });
  world.buildSteps.push({ containerId: 'own', appId: app.id }, { containerId: 'left', appId: 'gone234567' });
  const removed: string[] = [];
  const repairs = { ...world.tools.repairs, remove: async (one: string) => void removed.push(one) };
  await removeBuildLeftovers({ ...world.tools, repairs });
  expect(removed).toEqual(['left']);
});

test('F03: what was made for a moment and outlived it is removed', async () => {
  const world = fakeWorld(database.database.prisma);
  const removed: string[] = [];
  const repairs = {
    ...world.tools.repairs,
    outlived: async (seconds: number) => (seconds >= 60 ? ['nudge'] : ['nudge', 'of another worker']),
    remove: async (one: string) => void removed.push(one),
  };
  await removeOutlived({ ...world.tools, repairs });
  expect(removed).toEqual(['nudge']);
});
