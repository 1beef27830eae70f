import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { PostgresAccount } from './postgres-account.ts';

/** Starts one of PostgreSQL's programs as that account, with none of our own environment: it holds our secrets. */
export function spawnAs(
  account: PostgresAccount,
  argv: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const [program = '', ...args] = [...account.prefix, ...argv];
  return spawn(program, args, {
    ...options,
    ...(account.switchUser ? { uid: account.uid, gid: account.gid } : {}),
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
}

/** Never rejects: a program that cannot be started has the code 127, as in a shell. */
export function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 128));
  });
}
