import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Secret } from '../secrets/secret.ts';
import { choosePostgresAccount, type PostgresAccount } from './postgres-account.ts';
import { installPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
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
const USER = 'berth';
const DATABASE = 'berth';
const UNFINISHED = 'cluster.unfinished-';

interface Cluster {
  /** Holds `data/`, `password`, `port` and `server.log`; made in one piece. */
  readonly folder: string;
  readonly data: string;
  readonly throwAway: boolean;
}

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
  const cluster: Cluster = { folder, data: join(folder, 'data'), throwAway: options.throwAway ?? false };

  const port = await joinOrStart(home, cluster);
  const password = await readFile(join(folder, 'password'), 'utf8');
  const url = (database: string) => `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`;
  await createDatabase(url('postgres'));
  return { url: new Secret(url(DATABASE)), stop: () => stopPostmaster(cluster.data) };
}

async function makeHome(dataDir: string): Promise<string> {
  // Others may pass, but not look: the system user `postgres` has to reach its own folder below.
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const home = join(await realpath(dataDir), 'postgres');
  await mkdir(home, { recursive: true });
  await chmod(home, 0o711);
  return home;
}

async function joinOrStart(home: string, cluster: Cluster): Promise<number> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (let failures = 0; failures < 3 && Date.now() < deadline; ) {
    const running = await findPostmaster(cluster.data);
    if (running?.ready) return running.port;
    if (running) await delay(25);
    else if (!(await startServer(home, cluster, deadline))) failures += 1;
  }
  throw new PostgresUnavailable(
    `The built-in Postgres did not start; its log ${join(cluster.folder, 'server.log')} ends with:\n${await logTail(cluster)}`,
  );
}

async function startServer(home: string, cluster: Cluster, deadline: number): Promise<boolean> {
  const owner = await stat(cluster.data).then(
    (found) => found.uid,
    () => null,
  );
  const account = await choosePostgresAccount(home, owner);
  const binaries = await installPostgresBinaries(home);
  if (owner === null) await createCluster(home, cluster, { account, binaries });
  await checkVersion(cluster, binaries);
  return launch(cluster, { account, binaries, deadline });
}

/** Everything under a name of its own first; the rename at the end decides who made the cluster. */
async function createCluster(
  home: string,
  cluster: Cluster,
  by: { account: PostgresAccount; binaries: PostgresBinaries },
): Promise<void> {
  await removeUnfinished(home);
  const unfinished = join(home, `${UNFINISHED}${randomBytes(4).toString('hex')}`);
  const password = join(unfinished, 'password');
  await mkdir(unfinished, { mode: 0o700 });
  try {
    await writeFile(password, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
    for (const path of [password, unfinished]) await chown(path, by.account.uid, by.account.gid);
    await initdb(unfinished, by);
    await rename(unfinished, cluster.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function initdb(
  folder: string,
  { account, binaries }: { account: PostgresAccount; binaries: PostgresBinaries },
): Promise<void> {
  const argv = [
    binaries.initdb,
    `--pgdata=${join(folder, 'data')}`,
    `--username=${USER}`,
    `--pwfile=${join(folder, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Built into the server: sorting does not change with the machine's libraries.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  ];
  const child = spawnAs(account, argv, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let problem = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    problem = (problem + text).slice(-4000);
  });
  const code = await exitCode(child);
  if (code !== 0)
    throw new PostgresUnavailable(`The built-in Postgres could not make its database:\n${problem}`);
}

/** Left by processes that died while they made a cluster, which takes seconds. */
async function removeUnfinished(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const path = join(home, name);
    const { mtimeMs } = await stat(path);
    if (mtimeMs < Date.now() - 600_000) await rm(path, { recursive: true, force: true });
  }
}

async function checkVersion(cluster: Cluster, binaries: PostgresBinaries): Promise<void> {
  const found = (await readFile(join(cluster.data, 'PG_VERSION'), 'utf8')).trim();
  if (found === binaries.majorVersion) return;
  throw new PostgresUnavailable(
    `The database in ${cluster.data} is of PostgreSQL ${found}, and this Berth brings ${binaries.majorVersion}; dump it with the Berth that made it, and load the dump into a new one.`,
  );
}

/** True: the server is ready. False: the child ended, because another was first, or because it cannot run. */
async function launch(
  cluster: Cluster,
  by: { account: PostgresAccount; binaries: PostgresBinaries; deadline: number },
): Promise<boolean> {
  const port = await choosePort(join(cluster.folder, 'port'));
  const logPath = join(cluster.folder, 'server.log');
  const log = await open(logPath, 'a', 0o600);
  let child: ChildProcess;
  try {
    if ((await log.stat()).size > MAX_LOG_BYTES) await truncate(logPath);
    const argv = [by.binaries.postgres, '-D', cluster.data, ...postgresArguments({ port, ...cluster })];
    // Detached: a session of its own, so that neither Ctrl-C nor our end reaches it.
    const stdio: SpawnOptions['stdio'] = ['ignore', log.fd, log.fd];
    child = spawnAs(by.account, argv, { cwd: cluster.folder, detached: true, stdio });
  } finally {
    await log.close();
  }
  const ended = exitCode(child).then(() => 'ended' as const);
  child.unref();
  while (Date.now() < by.deadline) {
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

function spawnAs(account: PostgresAccount, argv: readonly string[], options: SpawnOptions): ChildProcess {
  const [program = '', ...args] = [...account.prefix, ...argv];
  return spawn(program, args, {
    ...options,
    ...(account.switchUser ? { uid: account.uid, gid: account.gid } : {}),
    // None of our own environment: it holds our secrets.
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
}

/** Never rejects: a program that cannot be started has the code 127, as in a shell. */
function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 128));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function logTail(cluster: Cluster): Promise<string> {
  const log = await readFile(join(cluster.folder, 'server.log'), 'utf8').catch(() => '(no log)');
  return log.trimEnd().split('\n').slice(-8).join('\n');
}
