import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** Bytes of a group of processes. A page that several of them have mapped counts once. */
export interface Residence {
  /** Anonymous and shared memory, and file pages that the kernel holds active: what `docker stats` shows. */
  readonly workingSet: number;
  /** Of it, what no file stands behind: it cannot be dropped under pressure. */
  readonly anonymous: number;
  readonly rss: number;
  readonly pss: number;
}

const PAGE = 4096;
/** Bits of /proc/kpageflags (admin-guide/mm/pagemap). */
const FLAG = { active: 1n << 6n, anonymous: 1n << 12n, swapBacked: 1n << 14n, zero: 1n << 24n } as const;
const PRESENT = 1n << 63n;
const FRAME = (1n << 55n) - 1n;

/**
 * Reads every resident page of these processes and asks the kernel what kind it is. `docker stats` counts by cgroup: all
 * but inactive file pages; so do we, for processes that have no cgroup of their own. Needs root (Linux).
 */
export function residenceOf(pids: readonly number[]): Residence {
  const frames = new Set<bigint>();
  for (const pid of pids) for (const frame of framesOf(pid)) frames.add(frame);
  const flags = openSync('/proc/kpageflags', 'r');
  const word = Buffer.alloc(8);
  let anonymousPages = 0;
  let activeFilePages = 0;
  for (const frame of frames) {
    readSync(flags, word, 0, 8, Number(frame) * 8);
    const kind = word.readBigUInt64LE();
    if ((kind & FLAG.zero) !== 0n) continue;
    if ((kind & (FLAG.anonymous | FLAG.swapBacked)) !== 0n) anonymousPages += 1;
    else if ((kind & FLAG.active) !== 0n) activeFilePages += 1;
  }
  closeSync(flags);
  const sum = (field: string) => pids.reduce((total, pid) => total + rollup(pid, field), 0);
  return {
    workingSet: (anonymousPages + activeFilePages) * PAGE,
    anonymous: anonymousPages * PAGE,
    rss: sum('Rss'),
    pss: sum('Pss'),
  };
}

/** A process and all that descend from it. */
export function withDescendants(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => parentOf(other) === pid);
  return [pid, ...children.flatMap(withDescendants)];
}

/** Seconds of processor time, of user and kernel together. */
export function processorSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = statFields(pid);
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return ticks.reduce((total, count) => total + count, 0) / 100;
}

function* framesOf(pid: number): Generator<bigint> {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
      if (from === undefined || to === undefined || line.endsWith('[vsyscall]')) continue;
      yield* framesIn(pagemap, Number.parseInt(from, 16) / PAGE, Number.parseInt(to, 16) / PAGE);
    }
  } finally {
    closeSync(pagemap);
  }
}

/** In pieces: a reserved range of V8 or Go can span many gigabytes. */
function* framesIn(pagemap: number, first: number, end: number): Generator<bigint> {
  const buffer = Buffer.alloc(64 * 1024);
  for (let page = first; page < end; page += buffer.length / 8) {
    const wanted = Math.min(buffer.length, (end - page) * 8);
    const got = readSync(pagemap, buffer, 0, wanted, page * 8);
    for (let at = 0; at < got; at += 8) {
      // Most pages of a reserved range are not there: the cheap test first.
      if ((buffer[at + 7] ?? 0) < 0x80) continue;
      const entry = buffer.readBigUInt64LE(at);
      if ((entry & PRESENT) !== 0n && (entry & FRAME) !== 0n) yield entry & FRAME;
    }
  }
}

function rollup(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

function parentOf(pid: number): number {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    // It ended while we looked.
    return -1;
  }
}

/** What follows the name (which may hold blanks) in /proc/pid/stat; the first is the state. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
