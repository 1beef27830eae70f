import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Clone folders, gate folders and git processes that belong to a DATA_DIR, one sentence each. */
export function leftOnDisk(dataDir: string): string[] {
  return [
    ...foldersIn(join(dataDir, 'work')).map((name) => `clone folder ${name}`),
    ...foldersIn(join(dataDir, 'gate')).map((name) => `gate folder ${name}`),
    ...heldMirrors(dataDir),
    ...gitProcessesIn(dataDir).map((what) => `git process ${what}`),
  ];
}

/** Mirrors that an attempt took and did not give back. */
export function heldMirrors(dataDir: string): string[] {
  return foldersIn(join(dataDir, 'mirrors'))
    .filter((name) => name.includes('.'))
    .map((name) => `mirror ${name} was not given back`);
}

/** The processes of git whose arguments or working directory lie in that directory (Linux). */
export function gitProcessesIn(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const isGit = /(^|\/)git(-[a-z-]+)?$/.test(argv[0] ?? '');
        const isThere =
          argv.some((word) => word.includes(directory)) ||
          readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
        return isGit && isThere ? [`${pid}: ${argv.slice(0, 4).join(' ')}`] : [];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

/** Names of its folders; a dot begins what belongs to the platform itself, such as the gate's tool. */
export function foldersIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.'));
}
