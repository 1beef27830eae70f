import pg from 'pg';
import type { Secret } from '../secrets/secret.ts';

/** Three of the worker's reports. */
const FRESH_SECONDS = 30;

/**
 * Whether a worker of that host has told the database lately that it lives. One short connection and no Prisma: asked by
 * a health check, of which nothing may remain. @throws when the database does not answer
 */
export async function hasWorkerHeartbeat(url: Secret, hostname: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url.reveal(),
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      'SELECT FROM workers WHERE hostname = $1 AND heartbeat_at > now() - make_interval(secs => $2) LIMIT 1',
      [hostname, FRESH_SECONDS],
    );
    return rowCount === 1;
  } finally {
    await client.end();
  }
}
