import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Database, openDatabase } from '../../internal/db/database.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { Secret } from '../../internal/secrets/secret.ts';
import { SERVER_VARIABLE, TEMPLATE } from './test-cluster.ts';
import { watchQueries } from './watch-queries.ts';

export interface TestDatabase {
  readonly url: Secret;
  readonly database: Database;
  close(): Promise<void>;
}

/** A database of its own for a test file, migrated and empty. The server goes at the end of the run, and it with it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const url = await createDatabase(`TEMPLATE ${TEMPLATE} STRATEGY file_copy`);
  const database = openDatabase(url, createLogger({ level: 'silent', process: 'up' }), { maxConnections: 6 });
  const overlapping = watchQueries(database.pool);
  return {
    url,
    database,
    // Not dropped: DROP … WITH (FORCE) cuts sockets that are still closing and fails the file at random.
    async close() {
      await database.close();
      if (overlapping.length === 0) return;
      throw new Error(
        `queries were sent while their connection was busy:\n${[...new Set(overlapping)].join('\n')}`,
      );
    },
  };
}

/** A database without our schema. */
export async function createEmptyDatabase(): Promise<Secret> {
  return createDatabase('TEMPLATE template0');
}

async function createDatabase(how: string): Promise<Secret> {
  const server = process.env[SERVER_VARIABLE];
  if (server === undefined)
    throw new Error('no test server: only *.int.test.ts and test/e2e have a database');
  const name = `t_${randomBytes(8).toString('hex')}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${name} ${how}`);
  } finally {
    await admin.end();
  }
  const url = new URL(server);
  url.pathname = `/${name}`;
  return new Secret(url.href);
}
