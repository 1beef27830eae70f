import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../internal/db/database.ts';
import { startEmbeddedPostgres } from '../../internal/db/embedded-postgres.ts';
import { migrate } from '../../internal/db/migrate.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import type { TestDatabase } from './database.ts';

/** A database on a server of its own, durable as in production, which a test may restart. */
export interface PrivatePostgres extends TestDatabase {
  stop(): Promise<void>;
  /** Again, at the same port. */
  start(): Promise<void>;
  restart(): Promise<void>;
}

/** Its server ends with `close()`. @param parent where its files lie */
export async function startPrivatePostgres(parent = tmpdir()): Promise<PrivatePostgres> {
  const dataDir = await mkdtemp(join(parent, 'berth-postgres-'));
  // Postgres runs as another user where we are root.
  await chmod(dataDir, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir });
  const logger = createLogger({ level: 'silent', process: 'up' });
  const database = openDatabase(postgres.url, logger, { maxConnections: 6 });
  await migrate(database.pool);
  const start = async () => void (await startEmbeddedPostgres({ dataDir }));
  return {
    url: postgres.url,
    database,
    stop: () => postgres.stop(),
    start,
    async restart() {
      await postgres.stop();
      await start();
    },
    async close() {
      await database.close();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
