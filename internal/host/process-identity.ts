import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own words; compared, never read. */
  readonly started: string;
}

/** Null: no such process, or only its remains (a zombie). */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const started = existsSync('/proc/self/stat') ? startFromProc(pid) : startFromPs(pid);
  return started === null ? null : { pid, started };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identifyProcess(process.pid)?.started === process.started;
}

/** SIGTERM, then SIGKILL to it and its process group after the grace. Already gone: nothing happens. */
export async function endProcess(target: ProcessIdentity, graceMs: number): Promise<void> {
  if (!isAlive(target)) return;
  trySignal(target.pid, 'SIGTERM');
  if (await hasEnded(target, graceMs)) return;
  trySignal(-target.pid, 'SIGKILL');
  trySignal(target.pid, 'SIGKILL');
  await hasEnded(target, 5_000);
}

/** False when the process (or group) is gone or not ours. */
export function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

// Not always our child, so there is no event to await.
async function hasEnded(target: ProcessIdentity, withinMs: number): Promise<boolean> {
  const limit = performance.now() + withinMs;
  while (isAlive(target)) {
    if (performance.now() > limit) return false;
    await delay(50);
  }
  return true;
}

// Start times count from boot, so after a reboot another process could have the same pid and time.
function startFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command may hold spaces and brackets; the fields begin after its last bracket (proc(5): state is field 3).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
  } catch {
    return null;
  }
}

function startFromPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}
