import { Socket } from 'node:net';
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

export interface DatabaseOptions {
  readonly maxConnections?: number;
  /** How long a connection in use may send and receive nothing before it is given up. */
  readonly silenceMs?: number;
}

/** A statement that takes longer is a mistake, and the server ends it. Migrations have a connection of their own. */
const STATEMENT_LIMIT_MS = 10_000;

/** Opens the pool and Prisma on top of it. Connects on first use. */
export function openDatabase(url: Secret, logger: Logger, options: DatabaseOptions = {}): Database {
  const { maxConnections = 8, silenceMs = 15_000 } = options;
  const pool = new pg.Pool({
    connectionString: url.reveal(),
    max: maxConnections,
    connectionTimeoutMillis: 5_000,
    // Well before the silence limit, which cannot tell an idle connection from a dead one.
    idleTimeoutMillis: Math.min(10_000, silenceMs / 2),
    statement_timeout: STATEMENT_LIMIT_MS,
    stream: () => impatientSocket(silenceMs),
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

/**
 * Where packets are dropped, TCP by itself waits a quarter of an hour for an answer, and with it the owner of a lease
 * that others have taken over (F21). `query_timeout` of pg would not do: it leaves the dead connection in the pool.
 */
function impatientSocket(silenceMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMs, () => {
    socket.destroy(Object.assign(new Error(`no answer for ${silenceMs} ms`), { code: 'ETIMEDOUT' }));
  });
  return socket;
}
