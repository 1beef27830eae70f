import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import { SealBroken, SealedBox } from '../secrets/sealed-box.ts';
import { SEALED_COLUMNS, type SealedColumn, sealContext } from '../secrets/sealed-columns.ts';
import { Prisma, type PrismaClient } from './database.ts';
import { newId } from './ids.ts';
import { enterInstallation, WrongKey } from './key-canary.ts';
import { type ResealedColumn, resealAll } from './reseal.ts';

const [before, present] = [newKey(), newKey()];
const oldBox = new SealedBox(before);
const changedBox = new SealedBox(present, [before]);
const newBox = new SealedBox(present);

let database: TestDatabase;
let prisma: PrismaClient;
beforeEach(async () => {
  database = await createTestDatabase();
  prisma = database.database.prisma;
});
afterEach(() => database?.close());

const doneOf = (columns: readonly ResealedColumn[]) =>
  Object.fromEntries(columns.map(({ column, done }) => [column, done]));
const all = (count: number) =>
  Object.fromEntries(Object.keys(SEALED_COLUMNS).map((column) => [column, count]));

/** Every sealed value there is, opened; which also proves that each can be. */
async function openEverything(box: SealedBox): Promise<Record<string, string[]>> {
  const opened: Record<string, string[]> = {};
  for (const column of Object.keys(SEALED_COLUMNS) as SealedColumn[]) {
    const [table = '', field = ''] = column.split('.');
    const rows = await prisma.$queryRaw<{ names: string[]; value: Uint8Array }[]>`
      SELECT ARRAY[${Prisma.raw(SEALED_COLUMNS[column].join(', '))}]::text[] AS names, ${Prisma.raw(field)} AS value
        FROM ${Prisma.raw(table)} WHERE ${Prisma.raw(field)} IS NOT NULL`;
    opened[column] = rows
      .map(({ names, value }) => box.open(value, `${table}:${names.join(' ')}:${field}`))
      .toSorted();
  }
  return opened;
}

/** One value in each sealed column. */
async function fillEveryColumn(box: SealedBox): Promise<{ appId: string; userId: string }> {
  await enterInstallation(prisma, box);
  const app = await seedApp(prisma);
  const { userId } = await prisma.project.findUniqueOrThrow({ where: { id: app.projectId } });
  const [variable, deployment, delivery] = [newId(), newId(), newId()];
  await prisma.envVar.create({
    data: {
      id: variable,
      appId: app.id,
      key: 'A',
      value: box.seal('env', sealContext('env_vars.value', variable)),
    },
  });
  await prisma.deployment.create({
    data: {
      id: deployment,
      appId: app.id,
      trigger: 'manual',
      configSnapshot: box.seal('snapshot', sealContext('deployments.config_snapshot', deployment)),
    },
  });
  await prisma.user.update({
    where: { id: userId },
    data: { githubToken: box.seal('github', sealContext('users.github_token', userId)) },
  });
  await prisma.app.update({
    where: { id: app.id },
    data: {
      webhookSecret: box.seal('hook', sealContext('services.webhook_secret', app.id)),
      deployKeyPrivate: box.seal('ssh', sealContext('services.deploy_key_private', app.id)),
    },
  });
  await prisma.webhookDelivery.create({
    data: {
      id: delivery,
      target: `app:${app.id}`,
      deliveryId: 'd',
      event: 'push',
      payload: box.seal('payload', sealContext('webhook_deliveries.payload', delivery)),
    },
  });
  const row = { userId, target: 'POST /apps', key: 'key' };
  const context = sealContext('idempotency_keys.answer', row.userId, row.target, row.key);
  await prisma.idempotencyKey.create({ data: { ...row, answer: box.seal('answer', context) } });
  return { appId: app.id, userId };
}

describe('T71: a change of keys', () => {
  test('seals every column anew, changes nothing else, and run again does nothing', async () => {
    await fillEveryColumn(oldBox);
    const clear = await openEverything(oldBox);
    const { updatedAt } = await prisma.envVar.findFirstOrThrow();

    expect(doneOf(await resealAll(prisma, changedBox))).toEqual(all(1));
    expect(await openEverything(newBox)).toEqual(clear);
    expect((await prisma.envVar.findFirstOrThrow()).updatedAt).toEqual(updatedAt);
    expect(doneOf(await resealAll(prisma, changedBox))).toEqual(all(0));
  });

  test('of many rows goes on where it was broken off', async () => {
    const { appId } = await fillEveryColumn(oldBox);
    await prisma.envVar.createMany({
      data: Array.from({ length: 250 }, (_, index) => {
        const id = newId();
        return {
          id,
          appId,
          key: `K${index}`,
          value: oldBox.seal(`${index}`, sealContext('env_vars.value', id)),
        };
      }),
    });
    const broken = resealAll(prisma, changedBox, {
      batch: 100,
      onProgress: (_column, done) => {
        if (done === 200) throw new Error('killed');
      },
    });
    await expect(broken).rejects.toThrow('killed');
    // Until the end both keys are needed, and a start with the new one alone is refused.
    await expect(enterInstallation(prisma, newBox)).rejects.toThrow(WrongKey);
    expect(await enterInstallation(prisma, changedBox)).toMatchObject({ hasOldKey: true });

    const rest = await resealAll(prisma, changedBox, { batch: 100 });
    expect(doneOf(rest)).toMatchObject({ 'env_vars.value': 51, 'instance.key_canary': 1 });
    await openEverything(newBox);
    expect(await enterInstallation(prisma, newBox)).toMatchObject({ hasOldKey: false });
  });

  test('leaves alone what was written meanwhile, by the new key or by the old', async () => {
    await fillEveryColumn(oldBox);
    const { id } = await prisma.envVar.findFirstOrThrow();
    const context = sealContext('env_vars.value', id);
    let meanwhile: SealedBox | null = changedBox;
    // Between the reading of a batch and its first write.
    const write = (box: SealedBox) =>
      prisma.envVar.update({ where: { id }, data: { value: box.seal('newer', context) } });
    const racing = new Proxy(prisma, {
      get(target, name) {
        if (name !== '$executeRaw' || meanwhile === null) return Reflect.get(target, name);
        const box = meanwhile;
        meanwhile = null;
        return async (...args: Parameters<PrismaClient['$executeRaw']>) => {
          await write(box);
          return prisma.$executeRaw(...args);
        };
      },
    });
    const first = await resealAll(racing, changedBox);
    expect(first.find(({ column }) => column === 'env_vars.value')).toMatchObject({ done: 0, left: 0 });
    expect((await openEverything(newBox))['env_vars.value']).toEqual(['newer']);

    await write(oldBox);
    meanwhile = oldBox;
    const second = await resealAll(racing, changedBox);
    expect(second.find(({ column }) => column === 'env_vars.value')).toMatchObject({ done: 0, left: 1 });
    expect(doneOf(await resealAll(prisma, changedBox))).toMatchObject({ 'env_vars.value': 1 });
  });

  test('names what no key opens and leaves it as it is', async () => {
    await fillEveryColumn(oldBox);
    const { id } = await prisma.envVar.findFirstOrThrow();
    const lost = new SealedBox(newKey()).seal('lost', sealContext('env_vars.value', id));
    await prisma.envVar.update({ where: { id }, data: { value: lost } });
    const columns = await resealAll(prisma, changedBox);
    expect(columns.find(({ column }) => column === 'env_vars.value')).toEqual({
      column: 'env_vars.value',
      done: 0,
      broken: [id],
      left: 0,
    });
    expect(Buffer.from((await prisma.envVar.findFirstOrThrow()).value)).toEqual(Buffer.from(lost));
    expect(columns.find(({ column }) => column === 'instance.key_canary')).toMatchObject({ done: 1 });
  });
});

describe('F50: the key of a start', () => {
  test('is known again by what the first start left', async () => {
    const { instanceId } = await enterInstallation(prisma, oldBox);
    expect(await enterInstallation(prisma, oldBox)).toEqual({ instanceId, hasOldKey: false });
    await expect(enterInstallation(prisma, newBox)).rejects.toThrow(/^ENCRYPTION_KEY is not the key of this/);
    expect(await enterInstallation(prisma, changedBox)).toEqual({ instanceId, hasOldKey: true });
    expect(await enterInstallation(prisma, oldBox)).toEqual({ instanceId, hasOldKey: false });
  });

  test('that is wrong changes nothing, also where there is no canary yet but a release', async () => {
    await fillEveryColumn(oldBox);
    await prisma.instance.updateMany({ data: { keyCanary: null } });
    const rows = await prisma.instance.findMany();
    await expect(enterInstallation(prisma, newBox)).rejects.toThrow(WrongKey);
    expect(await prisma.instance.findMany()).toEqual(rows);
  });

  test('of two first starts at once with different keys, one is refused', async () => {
    const ended = await Promise.allSettled([
      enterInstallation(prisma, oldBox),
      enterInstallation(prisma, newBox),
    ]);
    expect(ended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('T70: the canary itself is bound to its place', async () => {
    const { instanceId } = await enterInstallation(prisma, oldBox);
    const { keyCanary } = await prisma.instance.findFirstOrThrow();
    expect(() => oldBox.open(keyCanary ?? new Uint8Array(), `env_vars:${instanceId}:value`)).toThrow(
      SealBroken,
    );
  });
});
