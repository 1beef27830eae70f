import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createEmptyDatabase } from '../../test/support/database.ts';
import { migrate, migrationsDirectory, SchemaMismatch } from './migrate.ts';

describe('migrations at start', () => {
  let pool: pg.Pool;
  let directory: string;
  /** The names of the migrations that are ours, in order. */
  let ours: string[];

  beforeEach(async () => {
    const url = await createEmptyDatabase();
    pool = new pg.Pool({ connectionString: url.reveal(), max: 4 });
    directory = await mkdtemp(join(tmpdir(), 'berth-migrations-'));
    await cp(migrationsDirectory(), directory, { recursive: true });
    ours = (await readdir(directory)).filter((name) => /^\d/.test(name)).sort();
  });

  afterEach(async () => {
    await pool.end();
    await rm(directory, { recursive: true, force: true });
  });

  async function addMigration(name: string, sql: string): Promise<void> {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'migration.sql'), sql);
  }

  const history = async () =>
    (await pool.query('SELECT migration_name FROM _prisma_migrations ORDER BY 1')).rows.map(
      (row) => row.migration_name,
    );

  test('F48: are applied once by two processes that start together', async () => {
    const both = await Promise.all([migrate(pool, directory), migrate(pool, directory)]);
    expect(both.flat()).toEqual(ours);
    expect(await history()).toEqual(ours);
  });

  test('leave neither a connection nor a lock behind', async () => {
    await migrate(pool, directory);
    const { rows } = await pool.query(
      `SELECT (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS connections,
              (SELECT count(*)::int FROM pg_locks JOIN pg_database ON oid = database
                WHERE locktype = 'advisory' AND datname = current_database()) AS locks`,
    );
    expect(rows).toEqual([{ connections: 1, locks: 0 }]);
  });

  test('that fail are undone whole, and named', async () => {
    await addMigration('20990101000000_broken', 'CREATE TABLE half (id int); SELECT nonsense;');
    await expect(migrate(pool, directory)).rejects.toThrow('20990101000000_broken failed and was undone');
    expect(await history()).toEqual(ours);
    const { rows } = await pool.query(`SELECT to_regclass('half') AS half`);
    expect(rows).toEqual([{ half: null }]);
  });

  test('F48: are refused when the database is newer than the code', async () => {
    await addMigration('20990101000000_later', 'CREATE TABLE later (id int);');
    await migrate(pool, directory);
    const refusal = migrate(pool, migrationsDirectory());
    await expect(refusal).rejects.toThrow(SchemaMismatch);
    await expect(refusal).rejects.toThrow('20990101000000_later is not known here');
  });

  test('are refused when one was edited after it was applied', async () => {
    await addMigration('20990101000000_later', 'CREATE TABLE later (id int);');
    await migrate(pool, directory);
    await writeFile(join(directory, '20990101000000_later/migration.sql'), 'CREATE TABLE other (id int);');
    await expect(migrate(pool, directory)).rejects.toThrow('was edited after it was applied');
  });
});
