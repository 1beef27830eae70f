import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BreakableNetwork } from '../../test/support/breakable-network.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createLogger } from '../logger/logger.ts';
import { type Database, openDatabase } from './database.ts';
import { newId } from './ids.ts';

describe('the connection to the database', () => {
  const logger = createLogger({ level: 'silent', process: 'up' });
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.close());

  const ping = (database: Database) => database.prisma.$queryRaw`SELECT 1 AS one`;

  test('M22: survives the end of every session, idle ones included', async () => {
    const database = openDatabase(db.url, logger);
    try {
      await Promise.all([ping(database), ping(database)]);
      await db.database.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      // Each session that was ended may fail the one request that meets it first.
      await Promise.allSettled([ping(database), ping(database)]);
      expect(await ping(database)).toEqual([{ one: 1 }]);
    } finally {
      await database.close();
    }
  });

  test('F21: is given up when it goes silent, inside a transaction too, and made anew', async () => {
    const network = await BreakableNetwork.before(db.url);
    const database = openDatabase(network.url, logger, { silenceMs: 300, maxConnections: 1 });
    try {
      const inTransaction = database.prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT 1`;
        network.freeze();
        await tx.$queryRaw`SELECT 2`;
      });
      await expect(inTransaction).rejects.toThrow();
      expect(await ping(database)).toEqual([{ one: 1 }]);
    } finally {
      await database.close();
      await network.close();
    }
  });

  test('ends a statement that takes too long, and keeps the connection', async () => {
    const { rows } = await db.database.pool.query(`SHOW statement_timeout`);
    expect(rows).toEqual([{ statement_timeout: '10s' }]);
  });
});

describe('the schema refuses', () => {
  let db: TestDatabase;
  let appId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    appId = await newApp();
  });
  afterAll(() => db.close());

  async function newApp(): Promise<string> {
    const { prisma } = db.database;
    const [id, hash] = [newId(), newId()];
    await prisma.user.create({ data: { id, hash, name: 'owner' } });
    await prisma.project.create({
      data: { id, userId: id, name: 'default', networkName: `${hash}-default` },
    });
    await prisma.app.create({
      data: { id, projectId: id, name: 'web', repoUrl: 'https://git.example/a.git' },
    });
    return id;
  }

  const deployment = (sql: string, app = appId) =>
    db.database.pool.query(
      `INSERT INTO deployments (id, app_id, trigger, config_snapshot, status, step, failure_code, lease_owner, lease_expires_at)
       VALUES ('${newId()}', '${app}', 'api', '', ${sql})`,
    );

  test('two deployments of one app in flight, draining included', async () => {
    await deployment(`'building', 'cloning', NULL, 'w', now()`);
    for (const second of [`'building', 'cloning'`, `'deploying', 'gating'`, `'live', 'draining'`]) {
      await expect(deployment(`${second}, NULL, 'w', now()`)).rejects.toThrow('deployments_one_in_flight');
    }
    await deployment(`'pending', NULL, NULL, NULL, NULL`);
    await deployment(`'live', NULL, NULL, NULL, NULL`);
    await deployment(`'building', 'cloning', NULL, 'w', now()`, await newApp());
  });

  test('a failure without a code', async () => {
    const failed = deployment(`'failed', 'building', NULL, NULL, NULL`);
    await expect(failed).rejects.toThrow('deployments_failed_has_code');
  });

  test('half a lease', async () => {
    const half = [`'pending', NULL, NULL, 'w', NULL`, `'pending', NULL, NULL, NULL, now()`];
    for (const row of half) await expect(deployment(row)).rejects.toThrow('deployments_lease_is_whole');
  });

  test.each([
    ['port = 0', 'services_port_range'],
    ['port = 65536', 'services_port_range'],
    ['replicas = 0', 'services_replicas_range'],
    ['replicas = 21', 'services_replicas_range'],
    ['memory_mb = 0', 'services_limits_positive'],
  ])('an app with %s', async (change, constraint) => {
    await expect(db.database.pool.query(`UPDATE services SET ${change}`)).rejects.toThrow(constraint);
  });

  test('a second installation', async () => {
    const insert = (singleton: boolean) =>
      db.database.pool.query('INSERT INTO instance (singleton, id) VALUES ($1, $2)', [singleton, newId()]);
    await insert(true);
    await expect(insert(true)).rejects.toThrow('instance_pkey');
    await expect(insert(false)).rejects.toThrow('instance_is_one');
  });
});
