import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessWatch {
  /** Processes seen so far, the same one at different times counted once. */
  readonly seen: ReadonlySet<string>;
  /** Where a canary was found: `pid cmdline: …`. */
  readonly hits: readonly string[];
  stop(): void;
}

const EVERY_MS = 20;

/** Looks every 20 ms for the canary in the arguments and the environment of every process that begins now (Linux). */
export function watchProcesses(canary: string): ProcessWatch {
  const seen = new Set<string>();
  const hits: string[] = [];
  const before = new Set(processes());
  const look = () => {
    for (const pid of processes()) {
      if (before.has(pid)) continue;
      for (const file of ['cmdline', 'environ']) {
        const text = read(`/proc/${pid}/${file}`);
        if (file === 'cmdline' && text !== '') seen.add(`${pid} ${text.replaceAll('\0', ' ')}`);
        if (text.includes(canary)) hits.push(`${pid} ${file}: ${text.replaceAll('\0', ' ')}`);
      }
    }
  };
  const timer = setInterval(look, EVERY_MS);
  return { seen, hits, stop: () => clearInterval(timer) };
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended, or is somebody else's.
    return '';
  }
}
