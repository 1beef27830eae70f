import { InvalidConfig, loadDatabaseUrl } from '../../internal/config/load-config.ts';
import { openDatabase } from '../../internal/db/database.ts';
import { migrate, SchemaMismatch } from '../../internal/db/migrate.ts';
import { createLogger } from '../../internal/logger/logger.ts';

/** Applies what is missing and ends: for compose, and for who wants to migrate before the processes start. */
async function main(): Promise<void> {
  const logger = createLogger({ level: 'info', process: 'up' });
  const database = openDatabase(loadDatabaseUrl(), logger, { maxConnections: 1 });
  try {
    const applied = await migrate(database.pool);
    logger.info({ applied }, applied.length > 0 ? 'migrated' : 'schema is up to date');
  } finally {
    await database.close();
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InvalidConfig || error instanceof SchemaMismatch)) throw error;
  process.stderr.write(`${error.message}\n`);
  // EX_CONFIG of sysexits.h: starting again will not help.
  process.exitCode = 78;
}
