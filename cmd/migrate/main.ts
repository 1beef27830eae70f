import { loadDatabaseUrl } from '../../internal/config/load-config.ts';
import { openDatabase } from '../../internal/db/database.ts';
import { migrate } from '../../internal/db/migrate.ts';
import { createLogger } from '../../internal/logger/logger.ts';

/** Applies what is missing and ends: for compose, and for who wants to migrate before the processes start. */
const logger = createLogger({ level: 'info', process: 'up' });
try {
  const database = openDatabase(loadDatabaseUrl(), logger, { maxConnections: 1 });
  try {
    const applied = await migrate(database.pool);
    logger.info({ applied }, applied.length > 0 ? 'migrated' : 'schema is up to date');
  } finally {
    await database.close();
  }
} catch (error) {
  logger.fatal({ err: error }, 'migration failed');
  process.exitCode = 1;
}
