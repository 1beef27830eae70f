import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, open, readFile, realpath, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Secret } from '../secrets/secret.ts';
import { isDatabaseUnavailable } from './database-unavailable.ts';
import { type PostgresCluster, prepareCluster, USER } from './postgres-cluster.ts';
import { exitCode, spawnAs } from './postgres-process.ts';
import { postgresArguments } from './postgres-settings.ts';
import { PostgresUnavailable } from './postgres-unavailable.ts';
import { findPostmaster } from './postmaster.ts';

export interface EmbeddedPostgres {
  /** Database `berth`, user `berth`, on 127.0.0.1. The same after a restart, unless its port was taken meanwhile. */
  readonly url: Secret;
  /** Stops the server for every process that uses it. Not running: no error. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** State of this installation; the server keeps to `postgres/` in it. */
  readonly dataDir: string;
  /** No durability: several times faster, and nothing survives a crash. Tests only. */
  readonly throwAway?: boolean;
}

const START_LIMIT_MS = 60_000;
const MAX_LOG_BYTES = 10_000_000;
const DATABASE = 'berth';

/**
 * The real PostgreSQL in a folder of ours, for an installation that brings no database. One server per folder: whoever
 * comes first starts it, the others join, and it outlives them all until `stop()`.
 *
 * No lock of our own is needed: a new cluster appears by one rename, which only one can win, and PostgreSQL itself
 * lets only one server onto a data folder; the loser of either race sees the winner's and joins.
 * @throws PostgresUnavailable when it cannot run on this machine.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const home = await makeHome(options.dataDir);
  const folder = join(home, 'cluster');
  const cluster: PostgresCluster = { folder, data: join(folder, 'data') };

  const url = await reachServer(cluster, options.throwAway ?? false);
  return { url: new Secret(url(DATABASE)), stop: () => stopPostmaster(cluster.data) };
}

/** Who joins may meet a server that was killed a moment ago and is still listed: then it is looked for once more. */
async function reachServer(
  cluster: PostgresCluster,
  throwAway: boolean,
): Promise<(database: string) => string> {
  for (let isLastTry = false; ; isLastTry = true) {
    const port = await joinOrStart(cluster, throwAway);
    const password = await readFile(join(cluster.folder, 'password'), 'utf8');
    const url = (database: string) => `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`;
    try {
      await createDatabase(url('postgres'));
      return url;
    } catch (error) {
      if (isLastTry || !isDatabaseUnavailable(error)) throw error;
      await delay(200);
    }
  }
}

async function makeHome(dataDir: string): Promise<string> {
  // Others may pass, but not look: the system user `postgres` has to reach its own folder below.
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const home = join(await realpath(dataDir), 'postgres');
  const created = await mkdir(home, { recursive: true });
  if (created !== undefined) await chmod(home, 0o711);
  return home;
}

async function joinOrStart(cluster: PostgresCluster, throwAway: boolean): Promise<number> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (let failures = 0; failures < 3 && Date.now() < deadline; ) {
    const running = await findPostmaster(cluster.data);
    if (running?.ready) return running.port;
    if (running) await delay(25);
    else if (!(await launch(cluster, deadline, throwAway))) failures += 1;
  }
  throw new PostgresUnavailable(
    `The built-in Postgres did not start; its log ${join(cluster.folder, 'server.log')} ends with:\n${await logTail(cluster)}`,
  );
}

/** True: the server is ready. False: the child ended, because another was first, or because it cannot run. */
async function launch(cluster: PostgresCluster, deadline: number, throwAway: boolean): Promise<boolean> {
  const { account, binaries } = await prepareCluster(cluster);
  const port = await choosePort(join(cluster.folder, 'port'));
  const logPath = join(cluster.folder, 'server.log');
  const log = await open(logPath, 'a', 0o600);
  let child: ChildProcess;
  try {
    if ((await log.stat()).size > MAX_LOG_BYTES) await truncate(logPath);
    const argv = [binaries.postgres, '-D', cluster.data, ...postgresArguments({ port, throwAway })];
    // Detached: a session of its own, so that neither Ctrl-C nor our end reaches it.
    const stdio: SpawnOptions['stdio'] = ['ignore', log.fd, log.fd];
    child = spawnAs(account, argv, { cwd: cluster.folder, detached: true, stdio });
  } finally {
    await log.close();
  }
  const ended = exitCode(child).then(() => 'ended' as const);
  child.unref();
  while (Date.now() < deadline) {
    const server = await findPostmaster(cluster.data);
    if (server?.ready && server.pid === child.pid) {
      await writeFile(join(cluster.folder, 'port'), String(port));
      return true;
    }
    if ((await Promise.race([ended, delay(25)])) === 'ended') return false;
  }
  return false;
}

/** The port of last time where it is free, so that running clients find the server again; else any free one. */
async function choosePort(file: string): Promise<number> {
  const last = Number(await readFile(file, 'utf8').catch(() => '0'));
  return (last > 0 ? await freePort(last) : null) ?? (await freePort(0)) ?? 0;
}

async function freePort(wanted: number): Promise<number | null> {
  const server = createServer();
  try {
    server.listen({ host: '127.0.0.1', port: wanted, exclusive: true });
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  } catch {
    return null;
  } finally {
    await new Promise((closed) => server.close(closed));
  }
}

async function createDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } catch (error) {
    // 42P04 duplicate_database, 23505 unique_violation: another process was first.
    if (!(error instanceof pg.DatabaseError) || !['42P04', '23505'].includes(error.code ?? '')) throw error;
  } finally {
    await client.end();
  }
}

/** SIGINT is PostgreSQL's "fast shutdown": it ends sessions, writes a checkpoint and leaves. SIGQUIT does not wait. */
async function stopPostmaster(data: string): Promise<void> {
  const server = await findPostmaster(data);
  if (server === null) return;
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (isAlive(server.pid)) process.kill(server.pid, signal);
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      if ((await findPostmaster(data))?.pid !== server.pid) return;
      await delay(25);
    }
  }
  throw new Error(`postgres ${server.pid} did not end`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return Object(error).code === 'EPERM';
  }
}

async function logTail(cluster: PostgresCluster): Promise<string> {
  const log = await readFile(join(cluster.folder, 'server.log'), 'utf8').catch(() => '(no log)');
  return log.trimEnd().split('\n').slice(-8).join('\n');
}
