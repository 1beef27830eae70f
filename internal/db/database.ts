import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Logger } from '../logger/logger.ts';
import type { Secret } from '../secrets/secret.ts';
import { Prisma, PrismaClient } from './generated/client.ts';

export type * from './generated/client.ts';
export { Prisma, PrismaClient };

/** Inside `$transaction` or not: what a store's function takes. */
export type Db = PrismaClient | Prisma.TransactionClient;

export interface Database {
  readonly prisma: PrismaClient;
  /** The one pool of this process; Prisma borrows from it. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Opens the pool and Prisma on top of it. Connects on first use. */
export function openDatabase(
  url: Secret,
  logger: Logger,
  options: { maxConnections?: number } = {},
): Database {
  const pool = new pg.Pool({
    connectionString: url.reveal(),
    max: options.maxConnections ?? 8,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    // A half-open connection must not hold a lease's owner for minutes (F21).
    statement_timeout: 15_000,
    keepAlive: true,
  });
  // Without a listener a restarted Postgres ends the process: unhandled 57P01 on an idle connection (M22).
  pool.on('error', (error) => logger.warn({ err: error }, 'idle database connection lost'));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    prisma,
    pool,
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
