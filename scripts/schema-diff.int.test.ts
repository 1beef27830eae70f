import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createEmptyDatabase } from '../test/support/database.ts';
import { schemaDiff } from './schema-diff.ts';

describe('schema.prisma and the migrations', () => {
  const prisma = join(import.meta.dirname, '../prisma');
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-drift-'));
    await cp(prisma, folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const diff = async () =>
    schemaDiff({
      url: (await createEmptyDatabase()).reveal(),
      schemaFile: join(folder, 'schema.prisma'),
      migrationsDirectory: join(folder, 'migrations'),
    });

  test('are in step', async () => {
    expect(await diff()).toBeNull();
  });

  test('are not in step when the schema goes ahead, which this check would say', async () => {
    const file = join(folder, 'schema.prisma');
    const ahead = (await readFile(file, 'utf8')).replace(
      'model Worker {',
      'model Worker {\n  version String?\n',
    );
    await writeFile(file, ahead);
    expect(await diff()).toContain('ALTER TABLE "workers" ADD COLUMN     "version" TEXT');
  });
});
