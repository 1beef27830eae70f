import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../internal/db/embedded-postgres.ts';
import { migrate } from '../../internal/db/migrate.ts';
import { findPostmaster } from '../../internal/db/postmaster.ts';

/** Where jest's workers, its child processes, find the server of this run. */
export const SERVER_VARIABLE = 'BERTH_TEST_POSTGRES';
/** Migrated once; every test database is a copy of it. */
export const TEMPLATE = 'berth_template';

const PREFIX = 'berth-test-postgres-';
let cluster: { dataDir: string; postgres: EmbeddedPostgres } | null = null;

/** A server for this run, with a migrated template. The second call of a run does nothing. */
export async function startTestCluster(): Promise<void> {
  if (process.env[SERVER_VARIABLE] !== undefined) return;
  await removeOrphans();
  const dataDir = join(tmpdir(), `${PREFIX}${process.pid}`);
  await mkdir(dataDir);
  await chmod(dataDir, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir, throwAway: true });
  cluster = { dataDir, postgres };
  const url = postgres.url.reveal();
  await makeTemplate(url);
  process.env[SERVER_VARIABLE] = url;
}

export async function stopTestCluster(): Promise<void> {
  if (cluster === null) return;
  const { dataDir, postgres } = cluster;
  cluster = null;
  delete process.env[SERVER_VARIABLE];
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function makeTemplate(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  const templateUrl = new URL(url);
  templateUrl.pathname = `/${TEMPLATE}`;
  const pool = new pg.Pool({ connectionString: templateUrl.href, max: 1 });
  await migrate(pool);
  // A template cannot be copied while anybody is connected to it.
  await pool.end();
}

/** Servers of runs that were killed: each folder's name ends with the pid of its run. */
async function removeOrphans(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : Number.NaN);
    if (!Number.isInteger(pid) || (pid !== process.pid && isAlive(pid))) continue;
    const dataDir = join(tmpdir(), name);
    const server = await findPostmaster(join(dataDir, 'postgres/cluster/data'));
    if (server !== null) process.kill(server.pid, 'SIGQUIT');
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
