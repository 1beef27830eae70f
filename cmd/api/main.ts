import { join } from 'node:path';
import { ensureOwner } from '../../internal/auth/ensure-owner.ts';
import { Sessions } from '../../internal/auth/sessions.ts';
import type { Config } from '../../internal/config/config.ts';
import { InvalidConfig, loadConfig } from '../../internal/config/load-config.ts';
import { VERSION } from '../../internal/config/version.ts';
import { openDatabase } from '../../internal/db/database.ts';
import { enterInstallation, WrongKey } from '../../internal/db/key-canary.ts';
import { migrate } from '../../internal/db/migrate.ts';
import { Notifications } from '../../internal/db/notifications.ts';
import { createApp } from '../../internal/http/create-app.ts';
import { createFallbackPages } from '../../internal/http/fallback-pages.ts';
import { listen } from '../../internal/http/listen.ts';
import { RateLimits } from '../../internal/http/rate-limits/rate-limits.ts';
import { createLogger, type Logger } from '../../internal/logger/logger.ts';
import { LogHub } from '../../internal/logs/log-hub.ts';
import { defaultProject } from '../../internal/projects/project-store.ts';
import { SealedBox } from '../../internal/secrets/sealed-box.ts';

/** A request that runs may take so long to end after SIGTERM. */
const GRACE_MS = 5_000;

/** Settings → database → owner → two listeners → serve until SIGTERM → close in reverse order. */
async function main(config: Config, logger: Logger): Promise<void> {
  const stopped = new Promise((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
  });

  const database = openDatabase(config.databaseUrl, logger);
  const { prisma, pool } = database;
  await migrate(pool);
  const box = new SealedBox(config.encryptionKey, config.oldEncryptionKeys);
  const { instanceId, hasOldKey } = await enterInstallation(prisma, box, config.dataDir);
  if (hasOldKey) logger.warn('a change of keys is not done; run rotate-key');
  const tokenFile = join(config.dataDir, 'admin-token');
  const owner = await ensureOwner({ prisma, tokenFile, ensureProject: defaultProject });
  if (owner.created) logger.info({ tokenFile }, 'owner token stored');

  const notifications = config.notify ? new Notifications(config.databaseUrl, logger) : null;
  await notifications?.start();
  const logHub = new LogHub({ prisma, logger, notifications });
  const app = createApp({
    prisma,
    box,
    logger,
    settings: config,
    version: VERSION,
    logHub,
    sessions: new Sessions({ prisma, pool, logger, settings: config }),
    limits: new RateLimits(pool, config.rateLimits),
    corsOrigins: config.corsOrigins,
  });
  const fallback = await listen(createFallbackPages({ prisma, baseDomain: config.baseDomain, logger }), {
    port: config.fallbackPort,
    address: config.fallbackAddress,
  });
  const api = await listen(app, { port: config.apiPort, address: config.apiAddress });
  logger.info({ address: config.apiAddress, port: api.port, instanceId }, 'API started');

  await stopped;
  logHub.close();
  await api.close(GRACE_MS);
  await fallback.close(GRACE_MS);
  await notifications?.close();
  await database.close();
  logger.info('API stopped');
}

try {
  const config = loadConfig();
  const logger = createLogger({ level: config.logLevel, process: 'api' });
  await main(config, logger).catch((error: unknown) => {
    if (error instanceof WrongKey) throw error;
    logger.fatal({ err: error }, 'API cannot start');
    process.exit(1);
  });
} catch (error) {
  if (!(error instanceof InvalidConfig || error instanceof WrongKey)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(78);
}
