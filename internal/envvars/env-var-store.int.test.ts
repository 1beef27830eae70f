import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newKey } from '../../test/support/new-key.ts';
import { seedApp } from '../../test/support/seed.ts';
import type { PrismaClient } from '../db/database.ts';
import { SealBroken, SealedBox } from '../secrets/sealed-box.ts';
import type { GivenVariable } from './env-var.ts';
import { findVariable, readEnvironment, readEnvironments, storeEnvironment } from './env-var-store.ts';

const box = new SealedBox(newKey());
let database: TestDatabase;
let prisma: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = database.database.prisma;
});
afterAll(() => database?.close());

const store = (appId: string, given: readonly GivenVariable[], options?: { replace?: boolean }) =>
  prisma.$transaction((tx) => storeEnvironment(tx, box, appId, given, options));
const read = async (appId: string) =>
  (await readEnvironment(prisma, box, appId)).map(({ key, value, scope }) => ({ key, value, scope }));

describe('the environment of an app', () => {
  test('is stored beside what is there, and tells what became of it', async () => {
    const { id } = await seedApp(prisma);
    const first = await store(id, [
      { key: 'b', value: '2' },
      { key: 'A', value: '1', scope: 'both' },
    ]);
    expect(first).toEqual({ added: ['A', 'b'], changed: [], removed: [] });

    const [before] = await readEnvironment(prisma, box, id);
    const second = await store(id, [
      { key: 'A', value: '1' },
      { key: 'b', value: 'two' },
      { key: 'c', value: '' },
    ]);
    expect(second).toEqual({ added: ['c'], changed: ['b'], removed: [] });
    expect(await read(id)).toEqual([
      { key: 'A', value: '1', scope: 'both' },
      { key: 'b', value: 'two', scope: 'runtime' },
      { key: 'c', value: '', scope: 'runtime' },
    ]);
    const [after] = await readEnvironment(prisma, box, id);
    expect(after).toEqual(before);
  });

  test('is replaced as a whole when asked for, and keeps ids and scopes of what stays', async () => {
    const { id } = await seedApp(prisma);
    await store(id, [
      { key: 'KEEP', value: '1', scope: 'build' },
      { key: 'DROP', value: '2' },
    ]);
    const { id: rowId } = await findVariable(prisma, id, 'KEEP');
    const change = await store(id, [{ key: 'KEEP', value: 'new' }], { replace: true });
    expect(change).toEqual({ added: [], changed: ['KEEP'], removed: ['DROP'] });
    expect(await read(id)).toEqual([{ key: 'KEEP', value: 'new', scope: 'build' }]);
    expect(await findVariable(prisma, id, rowId)).toMatchObject({ key: 'KEEP' });
    expect(await store(id, [], { replace: true })).toMatchObject({ removed: ['KEEP'] });
    expect(await read(id)).toEqual([]);
  });

  test('of a key given twice has the last value', async () => {
    const { id } = await seedApp(prisma);
    await store(id, [
      { key: 'A', value: '1' },
      { key: 'A', value: '2' },
    ]);
    expect(await read(id)).toMatchObject([{ value: '2' }]);
  });

  test('holds a variable whose name every object knows', async () => {
    const { id } = await seedApp(prisma);
    const names = ['__proto__', 'constructor', 'toString'];
    await store(
      id,
      names.map((key) => ({ key, value: key })),
    );
    expect((await read(id)).map(({ key }) => key)).toEqual(names.toSorted());
  });

  test('T36: over its limits is refused and left as it was, also when only the whole is too large', async () => {
    const { id } = await seedApp(prisma);
    const large = Array.from({ length: 3 }, (_, index) => ({ key: `K${index}`, value: 'x'.repeat(32_768) }));
    await store(id, large);
    await expect(store(id, [{ key: 'MORE', value: 'x'.repeat(4_097) }])).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [{ field: 'environment', message: expect.stringContaining('in all values together') }],
    });
    await store(id, [{ key: 'MORE', value: 'x'.repeat(4_096) }]);
    expect(await read(id)).toHaveLength(4);
  });

  test('T22: of a name that builders know stays out of builds, also when the scope was set before', async () => {
    const { id } = await seedApp(prisma);
    await store(id, [{ key: 'HTTP_PROXY', value: 'http://proxy' }]);
    await expect(store(id, [{ key: 'HTTP_PROXY', value: 'x', scope: 'both' }])).rejects.toMatchObject({
      fields: [{ field: 'HTTP_PROXY' }],
    });
  });

  test('takes changes one after the other, so that two at once cannot pass the limits together', async () => {
    const { id } = await seedApp(prisma);
    const hundred = (start: string) =>
      Array.from({ length: 101 }, (_, index) => ({ key: `${start}${index}`, value: '' }));
    const ended = await Promise.allSettled([store(id, hundred('A')), store(id, hundred('B'))]);
    expect(ended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await read(id)).toHaveLength(101);
  });

  test('is read for several apps at once, each with its own', async () => {
    const apps = [await seedApp(prisma), await seedApp(prisma), await seedApp(prisma)];
    const [one = '', two = '', none = ''] = apps.map(({ id }) => id);
    await store(one, [{ key: 'A', value: 'one' }]);
    await store(two, [{ key: 'A', value: 'two' }]);
    const environments = await readEnvironments(prisma, box, [one, two, none]);
    const values = new Map([...environments].map(([id, [variable]]) => [id, variable?.value]));
    expect(values).toEqual(
      new Map([
        [one, 'one'],
        [two, 'two'],
      ]),
    );
  });
});

test('T70: a value moved to another row does not open there', async () => {
  const { id } = await seedApp(prisma);
  await store(id, [
    { key: 'A', value: 'canary-a' },
    { key: 'B', value: 'canary-b' },
  ]);
  await prisma.$executeRaw`
    UPDATE env_vars one SET value = other.value FROM env_vars other
     WHERE one.app_id = ${id} AND other.app_id = ${id} AND one.key = 'A' AND other.key = 'B'`;
  await expect(readEnvironment(prisma, box, id)).rejects.toThrow(SealBroken);
});

test('T78: what the database holds is ciphertext', async () => {
  const { id } = await seedApp(prisma);
  await store(id, [{ key: 'A', value: 'canary-in-clear' }]);
  const rows = await prisma.$queryRaw<
    { text: string }[]
  >`SELECT encode(value, 'escape') AS text FROM env_vars`;
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(({ text }) => text.includes('canary'))).toEqual([]);
});
