import { randomBytes } from 'node:crypto';
import { chown, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { choosePostgresAccount, type PostgresAccount } from './postgres-account.ts';
import { installPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { exitCode, spawnAs } from './postgres-process.ts';
import { PostgresUnavailable } from './postgres-unavailable.ts';
import { finishFolder, makeUnfinishedFolder } from './unfinished-folder.ts';

/** The one role, a superuser of a server that serves nobody else. */
export const USER = 'berth';

export interface PostgresCluster {
  /** Holds `data/`, `password`, `port` and `server.log`. */
  readonly folder: string;
  readonly data: string;
}

/** With what, and as whom, its server is run. */
export interface PostgresRuntime {
  readonly account: PostgresAccount;
  readonly binaries: PostgresBinaries;
}

/**
 * Makes the cluster where there is none, and says how to run it.
 * @throws PostgresUnavailable when that cannot be done here, or the data are of another major version.
 */
export async function prepareCluster(cluster: PostgresCluster): Promise<PostgresRuntime> {
  const home = dirname(cluster.folder);
  // Of the folder, not of the data in it, which another user cannot even look at.
  const owner = await stat(cluster.folder).then(
    (found) => found.uid,
    () => null,
  );
  const account = await choosePostgresAccount(home, owner);
  const binaries = await installPostgresBinaries(home);
  if (owner === null) await createCluster(home, cluster, { account, binaries });
  await checkVersion(cluster, binaries);
  return { account, binaries };
}

/** Cluster and password appear together, by one rename. */
async function createCluster(home: string, cluster: PostgresCluster, by: PostgresRuntime): Promise<void> {
  const unfinished = await makeUnfinishedFolder(home);
  const password = join(unfinished, 'password');
  try {
    await writeFile(password, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
    for (const path of [password, unfinished]) await chown(path, by.account.uid, by.account.gid);
    await initdb(unfinished, by);
    await finishFolder(unfinished, cluster.folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function initdb(folder: string, { account, binaries }: PostgresRuntime): Promise<void> {
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

async function checkVersion(cluster: PostgresCluster, binaries: PostgresBinaries): Promise<void> {
  const found = (await readFile(join(cluster.data, 'PG_VERSION'), 'utf8')).trim();
  if (found === binaries.majorVersion) return;
  throw new PostgresUnavailable(
    `The database in ${cluster.data} is of PostgreSQL ${found}, and this Berth brings ${binaries.majorVersion}; dump it with the Berth that made it, and load the dump into a new one.`,
  );
}
