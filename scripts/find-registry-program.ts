/**
 * Usage: tsx scripts/find-registry-program.ts     (bin/test does it by itself)
 * Finds Debian's registry for images, which the tests push to, or takes it out of its package into the cache folder, and
 * prints its path. It is not installed: that would start a service of the system.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { loadStartSettings, type StartSettings } from '../internal/config/start-settings.ts';
import { findProgram, isRoot } from '../internal/host/host-facts.ts';
import { LogFile } from '../internal/host/log-file.ts';
import { runProgram } from '../internal/host/run-program.ts';

const PACKAGE = 'docker-registry';

/** The program, or why it cannot be had here; then its tests are skipped and say so. */
export type RegistryProgram = { readonly program: string } | { readonly lacks: string };

/** `dataDir` takes the log of the package tools. */
export async function findRegistryProgram(
  settings: StartSettings,
  dataDir: string,
): Promise<RegistryProgram> {
  const { cacheDir, environment } = settings;
  const installed = findProgram(PACKAGE, environment['PATH']);
  if (installed !== null) return { program: installed };
  const folder = join(cacheDir, PACKAGE);
  const program = join(folder, 'usr/bin', PACKAGE);
  if (existsSync(program)) return { program };
  if (findProgram('apt-get', environment['PATH']) === null) return { lacks: `there is no ${PACKAGE}` };

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const log = new LogFile(dataDir, PACKAGE);
  const run = (...command: [string, ...string[]]) => runProgram(command, log, environment);
  const download = () => run('env', '-C', folder, 'apt-get', 'download', '-q', PACKAGE);
  let code = await download();
  // The lists of packages may be missing, or older than the archive.
  if (code !== 0 && isRoot() && (await run('apt-get', 'update', '-q')) === 0) code = await download();
  const file = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (code !== 0 || file === undefined) {
    return { lacks: `apt-get could not download ${PACKAGE}: ${log.tail(1).join('')}` };
  }
  if ((await run('dpkg-deb', '-x', join(folder, file), folder)) !== 0 || !existsSync(program)) {
    return { lacks: `the package ${PACKAGE} could not be opened: ${log.tail(1).join('')}` };
  }
  return { program };
}

if (argv[1] === resolve(import.meta.filename)) {
  const settings = loadStartSettings();
  const found = await findRegistryProgram(settings, settings.cacheDir);
  console.log('program' in found ? found.program : `Not here: ${found.lacks}`);
  process.exitCode = 'program' in found ? 0 : 1;
}
