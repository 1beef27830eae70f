import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import type { PrismaClient } from '../db/database.ts';
import type { GivenVariable } from '../envvars/env-var.ts';
import { storeEnvironment } from '../envvars/env-var-store.ts';
import { SealedBox } from '../secrets/sealed-box.ts';
import { PendingChanges } from './pending-changes.ts';
import { requestDeployment } from './request-deployment.ts';

const box = new SealedBox(newKey());
let opened = 0;
/** Counts what it opens. */
class CountingBox extends SealedBox {
  override open(sealed: Uint8Array, context: string): string {
    opened += 1;
    return super.open(sealed, context);
  }
}

let database: TestDatabase;
let prisma: PrismaClient;
let pending: PendingChanges;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = database.database.prisma;
});
afterAll(() => database?.close());
beforeEach(() => {
  pending = new PendingChanges(box);
});

const store = (appId: string, given: readonly GivenVariable[], replace = false) =>
  prisma.$transaction((tx) => storeEnvironment(tx, box, appId, given, { replace }));

/** An app whose newest deployment is live, as a worker would leave it. */
async function liveApp(given: readonly GivenVariable[]): Promise<string> {
  const { id } = await seedApp(prisma);
  await store(id, given);
  await deploy(id);
  return id;
}

async function deploy(appId: string): Promise<void> {
  const { id } = await requestDeployment(prisma, { appId, trigger: 'manual' }, box);
  await prisma.deployment.updateMany({ where: { appId, status: 'live' }, data: { status: 'retired' } });
  await prisma.deployment.update({ where: { id }, data: { status: 'live' } });
  await prisma.app.update({ where: { id: appId }, data: { liveDeploymentId: id } });
}

async function changesOf(...ids: string[]): Promise<(readonly string[] | undefined)[]> {
  const apps = await prisma.app.findMany({ where: { id: { in: ids } }, include: { hosts: true } });
  const changes = await pending.of(prisma, apps);
  return ids.map((id) => changes.get(id));
}

test('a changed environment is pending until the next deployment', async () => {
  const id = await liveApp([{ key: 'A', value: '1' }]);
  expect(await changesOf(id)).toEqual([[]]);
  for (const change of [
    () => store(id, [{ key: 'A', value: '2' }]),
    () => store(id, [{ key: 'A', value: '1', scope: 'both' }]),
    () => store(id, [{ key: 'B', value: '1' }]),
    () => store(id, [], true),
  ]) {
    await change();
    expect(await changesOf(id)).toEqual([['environment']]);
    await store(id, [{ key: 'A', value: '1', scope: 'runtime' }], true);
    // Back as it was, whatever rows it went through.
    expect(await changesOf(id)).toEqual([[]]);
  }
  await store(id, [{ key: 'B', value: '' }]);
  await prisma.app.update({ where: { id }, data: { memoryMb: 256 } });
  expect(await changesOf(id)).toEqual([['memory_mb', 'environment']]);
  await deploy(id);
  expect(await changesOf(id)).toEqual([[]]);
});

test('of several apps each is told its own, and one without a live release nothing', async () => {
  const [one, two] = [await liveApp([{ key: 'A', value: '1' }]), await liveApp([])];
  const { id: never } = await seedApp(prisma);
  await store(never, [{ key: 'A', value: '1' }]);
  await store(two, [{ key: 'A', value: '1' }]);
  expect(await changesOf(one, two, never)).toEqual([[], ['environment'], undefined]);
});

test('T71: sealed anew by another key, an environment is no other one', async () => {
  const id = await liveApp([{ key: 'A', value: '1' }]);
  await changesOf(id);
  const { id: row, value } = await prisma.envVar.findFirstOrThrow({ where: { appId: id } });
  const context = `env_vars:${row}:value`;
  await prisma.envVar.update({
    where: { id: row },
    data: { value: box.seal(box.open(value, context), context) },
  });
  expect(await changesOf(id)).toEqual([[]]);
});

test('asked again, nothing is opened but what has changed', async () => {
  const key = newKey();
  const counting = new CountingBox(key);
  pending = new PendingChanges(counting);
  const seal = new SealedBox(key);
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const { id } = await seedApp(prisma);
    await prisma.$transaction((tx) => storeEnvironment(tx, seal, id, [{ key: 'A', value: '1' }]));
    const deployment = await requestDeployment(prisma, { appId: id, trigger: 'manual' }, seal);
    await prisma.app.update({ where: { id }, data: { liveDeploymentId: deployment.id } });
    ids.push(id);
  }
  await changesOf(...ids);
  expect(opened).toBe(6);
  await changesOf(...ids);
  expect(opened).toBe(6);
  await prisma.$transaction((tx) => storeEnvironment(tx, seal, ids[1] ?? '', [{ key: 'A', value: '2' }]));
  expect(await changesOf(...ids)).toEqual([[], ['environment'], []]);
  expect(opened).toBe(7);
});
