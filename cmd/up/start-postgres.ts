import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../internal/db/embedded-postgres.ts';
import { PostgresUnavailable } from '../../internal/db/postgres-unavailable.ts';
import { findPostmaster } from '../../internal/db/postmaster.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';

/** @throws CannotStart with its own words when it cannot run on this machine. */
export async function startPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  try {
    return await startEmbeddedPostgres({ dataDir });
  } catch (error) {
    if (error instanceof PostgresUnavailable) throw new CannotStart(error.message);
    throw error;
  }
}

export async function isPostgresRunning(dataDir: string): Promise<boolean> {
  return (await findPostmaster(join(await realpath(dataDir), 'postgres/cluster/data'))) !== null;
}

/** For a server whose supervisor was killed. Not running: nothing happens. */
export async function stopPostgres(dataDir: string): Promise<void> {
  if (await isPostgresRunning(dataDir)) await (await startEmbeddedPostgres({ dataDir })).stop();
}
