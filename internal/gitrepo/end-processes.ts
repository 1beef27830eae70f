import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const GRACE_MS = 300;
const GIVE_UP_MS = 5000;
const PAUSE_MS = 15;

/**
 * Ends every process whose working folder is one of those asked about, and returns when none is left. Ending git alone
 * is not enough: its `git remote-http` children outlive it, and after `kill -9` of a worker they belong to nobody.
 * `isOurs` gets the absolute, link-free path, also when that folder is deleted already. Where there is no /proc this
 * does nothing. @throws when some do not end within five seconds even of SIGKILL
 */
export async function endProcesses(isOurs: (workingDirectory: string) => boolean): Promise<void> {
  const started = performance.now();
  for (;;) {
    const pids = await processesIn(isOurs);
    if (pids.length === 0) return;
    const waited = performance.now() - started;
    if (waited > GIVE_UP_MS) throw new Error(`processes do not end: ${pids.join(', ')}`);
    for (const pid of pids) endProcess(pid, waited < GRACE_MS ? 'SIGTERM' : 'SIGKILL');
    await delay(PAUSE_MS);
  }
}

async function processesIn(isOurs: (workingDirectory: string) => boolean): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await listProcesses()) {
    const directory = await workingDirectory(pid);
    if (directory !== null && pid !== process.pid && isOurs(directory)) found.push(pid);
  }
  return found;
}

async function listProcesses(): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Null: it has ended (a zombie has none either), or belongs to someone else. */
async function workingDirectory(pid: number): Promise<string | null> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)).replace(/ \(deleted\)$/, '');
  } catch {
    return null;
  }
}

function endProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself in between.
  }
}
