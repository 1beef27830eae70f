import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { ensureInstance } from './instance.ts';

describe('the instance id', () => {
  let db: TestDatabase;
  let dataDir: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    dataDir = await mkdtemp(join(tmpdir(), 'berth-instance-'));
  });

  afterAll(async () => {
    await db.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('is the same for two processes that start together, and ever after', async () => {
    const { prisma } = db.database;
    const [first, second] = await Promise.all([ensureInstance(prisma), ensureInstance(prisma)]);
    expect(first).toMatch(/^[a-z][a-z2-7]{9}$/);
    expect(second).toBe(first);
    expect(await ensureInstance(prisma, dataDir)).toBe(first);
    expect(await readFile(join(dataDir, 'instance'), 'utf8')).toBe(`${first}\n`);
  });

  test('is written down in a DATA_DIR that is not there yet', async () => {
    const { prisma } = db.database;
    const fresh = join(dataDir, 'not/there/yet');
    const id = await ensureInstance(prisma, fresh);
    expect(await readFile(join(fresh, 'instance'), 'utf8')).toBe(`${id}\n`);
  });

  test('survives a database that was made anew', async () => {
    const { prisma } = db.database;
    const before = await ensureInstance(prisma, dataDir);
    await prisma.instance.deleteMany();
    expect(await ensureInstance(prisma, dataDir)).toBe(before);
  });
});
