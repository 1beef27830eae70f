import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { PostgresUnavailable } from './postgres-unavailable.ts';

const run = promisify(execFile);

/** Who runs the server: PostgreSQL refuses to be root. */
export interface PostgresAccount {
  /** The owner its files must have. */
  readonly uid: number;
  readonly gid: number;
  /** Set: the child changes to that user before it starts. */
  readonly switchUser: boolean;
  /** Put before the program and its arguments. */
  readonly prefix: readonly string[];
}

/**
 * An ordinary user runs it himself. Root hands it to the system user `postgres`; where that user cannot reach the
 * folder (below /root, or a 0700 `mktemp -d`), it runs in a user namespace in which we ourselves bear its number.
 * @param folder where the server's files are or will be. It must exist.
 * @param owner of an existing cluster, which decides; null for a new one.
 * @throws PostgresUnavailable when neither works.
 */
export async function choosePostgresAccount(folder: string, owner: number | null): Promise<PostgresAccount> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (uid !== 0) {
    if (owner !== null && owner !== uid) {
      throw new PostgresUnavailable(
        `The database in ${folder} belongs to another user; start Berth as the user who started it first.`,
      );
    }
    return { uid, gid, switchUser: false, prefix: [] };
  }
  const system = await systemUser();
  const mayChange = owner === null || owner === system.uid;
  if (mayChange && (await canTraverse(folder, system))) return { ...system, switchUser: true, prefix: [] };

  const prefix = ['unshare', '--user', `--map-user=${system.uid}`];
  if (owner === null || owner === 0) {
    const works = await runs([...prefix, 'true']);
    if (works) return { uid: 0, gid: 0, switchUser: false, prefix };
  }
  throw new PostgresUnavailable(
    `The system user postgres cannot reach ${folder}; set DATA_DIR to a folder below which others may pass (such as /var/lib/berth), or set DATABASE_URL.`,
  );
}

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

async function systemUser(): Promise<SystemUser> {
  const existing = await lookUp();
  if (existing !== null) return existing;
  const created = await runs([
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    'postgres',
  ]);
  // Another process may have made it in the meantime: look again whatever useradd said.
  const user = await lookUp();
  if (user !== null) return user;
  throw new PostgresUnavailable(
    `Postgres does not run as root, and the system user postgres ${created ? 'is not found' : 'could not be made'}; make it, start Berth as an ordinary user, or set DATABASE_URL.`,
  );
}

async function lookUp(): Promise<SystemUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

async function runs([program = '', ...args]: readonly string[]): Promise<boolean> {
  return run(program, args, { cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/** By the mode bits of the folder and all above it, which is what the kernel goes by where there are no ACLs. */
async function canTraverse(folder: string, user: SystemUser): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const { mode, uid, gid } = await stat(path);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
