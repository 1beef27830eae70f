import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type FakeWorld, fakeWorld } from '../../test/support/fake-tools.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { TestWorker } from '../../test/support/test-worker.ts';
import type { Deployment } from '../db/database.ts';
import { readReleaseSecrets } from '../deployments/release-secrets.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { storeEnvironment } from '../envvars/env-var-store.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import type { Tools } from './job.ts';

const CANARY = 'canary-4f2a9c0e1b7d';
const box = new SealedBox(newKey());

let database: TestDatabase;
let world: FakeWorld;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.close());
beforeEach(() => {
  world = fakeWorld(database.database.prisma);
});

/** A deployment of an app that has the canary in its environment, at its end; and all that stands in its log. */
async function failed(changed: Partial<Tools>): Promise<{ row: Deployment; log: string }> {
  const { prisma } = database.database;
  const app = await seedApp(prisma, { healthCheckPath: '/health' });
  await storeEnvironment(prisma, box, app.id, [{ key: 'TOKEN', value: CANARY, scope: 'build' }]);
  const { id } = await requestDeployment(prisma, { appId: app.id, trigger: 'manual' }, box);
  const releaseSecrets = (deploymentId: string) => readReleaseSecrets(prisma, box, deploymentId);
  await new TestWorker(box).work({ ...world.tools, releaseSecrets, ...changed });
  const row = await prisma.deployment.findUniqueOrThrow({ where: { id } });
  const lines = await prisma.logLine.findMany({ where: { streamId: id } });
  return { row, log: lines.map(({ text }) => text).join('\n') };
}

test('T24: what the builder says of a failed build is stored without secrets', async () => {
  const { images } = world.tools;
  const build = async () => {
    throw new DeploymentFailed('base_image_unavailable', `There is no image example/${CANARY}:1.`);
  };
  const { row, log } = await failed({ images: { ...images, build } });
  expect(row).toMatchObject({
    status: 'failed',
    failureCode: 'base_image_unavailable',
    failureReason: 'There is no image example/***:1.',
  });
  expect(log).toContain('There is no image example/***:1.');
  expect(log).not.toContain('canary');
});

test('T24: the last words of a candidate are stored without secrets', async () => {
  world.healthy = false;
  const { containers } = world.tools;
  const logTail = async () => [`token=${CANARY}`, Buffer.from(CANARY).toString('base64')];
  const { row } = await failed({ containers: { ...containers, logTail } });
  expect(row).toMatchObject({ failureCode: 'health_check_failed', logTail: ['token=***', '***'] });
});
