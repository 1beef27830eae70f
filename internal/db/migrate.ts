import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** The database and this version of Berth do not fit together. Nothing was changed. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch';
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hex: what Prisma stores. */
  readonly checksum: string;
}

interface AppliedMigration {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

/** Prisma's own lock ("prisma migrate deploy" takes it too), so that nothing migrates beside us. */
const LOCK = 72707369;

/** As Prisma makes it, so that its tools can read what we did. */
const HISTORY = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Brings the schema to what this version needs, each migration in a transaction of its own; several processes may
 * call it at once. The pool says where; the work has a connection of its own. Returns the names of what was applied now, in order.
 * @throws SchemaMismatch when the database is newer than the code, or an applied migration was edited since.
 */
export async function migrate(pool: pg.Pool, directory = migrationsDirectory()): Promise<string[]> {
  const migrations = await readMigrations(directory);
  // Waiting for the lock and building an index may both take longer than the pool lets a statement take. The lock
  // belongs to this connection and ends with it, however we leave.
  const client = new pg.Client({
    connectionString: pool.options.connectionString,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await client.query(HISTORY);
    const pending = findPending(migrations, await readApplied(client));
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

/** `prisma/migrations` of this checkout, or of the image, where this file is one folder deeper (`dist/`). */
export function migrationsDirectory(): string {
  const places = ['../..', '../../..'].map((up) => join(import.meta.dirname, up, 'prisma/migrations'));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`prisma/migrations is missing; looked in ${places.join(' and ')}`);
  return found;
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function readApplied(client: pg.Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    `SELECT migration_name, checksum, finished_at FROM _prisma_migrations
     WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  );
  return rows;
}

function findPending(migrations: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of applied) {
    const migration = known.get(row.migration_name);
    if (migration === undefined) {
      throw new SchemaMismatch(
        `The database was migrated by a newer Berth (${row.migration_name} is not known here); start that version again, or restore the backup made before it.`,
      );
    }
    if (migration.checksum !== row.checksum) {
      throw new SchemaMismatch(
        `The migration ${row.migration_name} was edited after it was applied; restore the file, and put the change into a new migration.`,
      );
    }
    if (row.finished_at === null) {
      throw new SchemaMismatch(
        `The migration ${row.migration_name} was begun by another tool and not finished; restore the backup made before it.`,
      );
    }
  }
  const done = new Set(applied.map((row) => row.migration_name));
  return migrations.filter((migration) => !done.has(migration.name));
}

/** The script and its row in one transaction: there is no half-applied migration to repair. */
async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK');
    throw new Error(`The migration ${name} failed and was undone.`, { cause });
  }
}
