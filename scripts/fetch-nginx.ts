/**
 * Usage: tsx scripts/fetch-nginx.ts     (bin/test does it by itself)
 * Unpacks Debian's nginx under the cache folder, for the base image of static sites in tests, and prints the folder. It is
 * not installed: the package would begin to serve port 80.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { loadStartSettings, type StartSettings } from '../internal/config/start-settings.ts';
import { findProgram, isRoot } from '../internal/host/host-facts.ts';
import { LogFile } from '../internal/host/log-file.ts';
import { runProgram } from '../internal/host/run-program.ts';

const PACKAGES = ['nginx', 'nginx-common'];

/** The folder that is its root, or why it cannot be had here; then some tests are skipped and say so. */
export type Nginx = { readonly folder: string } | { readonly lacks: string };

/** `dataDir` takes the log. */
export async function fetchNginx(settings: StartSettings, dataDir: string): Promise<Nginx> {
  const folder = join(settings.cacheDir, `debian-nginx-${process.arch}`);
  const finished = join(folder, 'finished');
  if (existsSync(finished)) return { folder };
  const { environment } = settings;
  if (findProgram('apt-get', environment['PATH']) === null)
    return { lacks: 'no apt-get to fetch nginx with' };

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const log = new LogFile(dataDir, 'nginx-fetch');
  const run = (...command: [string, ...string[]]) => runProgram(command, log, environment);
  // apt-get puts them into the current folder only; env(1) goes there.
  const download = () => run('env', '--chdir', folder, 'apt-get', 'download', '-q', ...PACKAGES);
  if ((await download()) !== 0 && isRoot()) {
    await run('apt-get', 'update', '-q');
    await download();
  }
  const archives = readdirSync(folder).filter((name) => name.endsWith('.deb'));
  if (archives.length < PACKAGES.length) {
    return { lacks: `apt-get could not fetch nginx: ${log.tail(1).join('')}` };
  }
  for (const archive of archives) {
    if ((await run('dpkg-deb', '--extract', join(folder, archive), folder)) !== 0) {
      return { lacks: `dpkg-deb could not unpack ${archive}: ${log.tail(1).join('')}` };
    }
  }
  mkdirSync(finished);
  return { folder };
}

if (argv[1] === resolve(import.meta.filename)) {
  const settings = loadStartSettings();
  const found = await fetchNginx(settings, settings.cacheDir);
  console.log('folder' in found ? found.folder : `Not here: ${found.lacks}`);
  process.exitCode = 'folder' in found ? 0 : 1;
}
