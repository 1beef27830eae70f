import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program's path, looked up in PATH as a shell would; null: not installed. */
export function findProgram(name: string, path: string | undefined): string | null {
  const folders = [...(path ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter((folder) => folder !== '');
  for (const folder of folders) {
    try {
      const candidate = join(folder, name);
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here: the next folder.
    }
  }
  return null;
}

/** Debian, Ubuntu and what is made of them, by os-release(5). */
export function isDebianLike(osRelease: string): boolean {
  const ids = [...osRelease.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap((match) =>
    (match[1] ?? '').split(' '),
  );
  return ids.includes('debian') || ids.includes('ubuntu');
}

export function readOsRelease(): string {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
}

/** sd_booted(3): systemd is the init system of this machine. */
export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
