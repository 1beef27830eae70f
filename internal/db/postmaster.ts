import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `postmaster.pid` says, once the process it names is found alive and ours. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/**
 * The server that runs on this data folder, or null. Layout of the file: PostgreSQL's `utils/pidfile.h` (line 1 pid,
 * 4 port, 8 status). A file left by a crash or a reboot counts as nothing, also when its pid is in use again.
 */
export async function findPostmaster(data: string): Promise<Postmaster | null> {
  let lines: string[];
  try {
    lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
  } catch {
    return null;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !(await runsOn(pid, data))) return null;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/** The command line is `…/postgres -D {data} …`; a zombie has none. */
async function runsOn(pid: number, data: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return commandLine.split('\0').includes(data);
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
