/**
 * Usage: tsx scripts/install-schemathesis.ts     (bin/test does it by itself)
 * Puts schemathesis, which asks the API what its OpenAPI document allows and what it forbids, into a Python environment
 * of its own under the cache folder, and prints its path.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { loadStartSettings, type StartSettings } from '../internal/config/start-settings.ts';
import { findProgram } from '../internal/host/host-facts.ts';
import { LogFile } from '../internal/host/log-file.ts';
import { runProgram } from '../internal/host/run-program.ts';

/** Both, because the cases that a seed gives are those of these versions. */
const PACKAGES = ['schemathesis==4.32.5', 'hypothesis==6.170.15'];
const INSTALL_LIMIT_SECONDS = '120';

/** The program, or why it cannot be had here; then one test is skipped and says so. */
export type Schemathesis = { readonly program: string } | { readonly lacks: string };

/** Installs it where it is missing: once, in seconds. `dataDir` takes pip's log. */
export async function installSchemathesis(settings: StartSettings, dataDir: string): Promise<Schemathesis> {
  const folder = join(settings.cacheDir, PACKAGES.join('-').replaceAll('==', '-'));
  const program = join(folder, 'bin/schemathesis');
  const finished = join(folder, 'finished');
  if (existsSync(finished)) return { program };
  const python = findProgram('python3', settings.environment['PATH']);
  if (python === null) return { lacks: 'there is no python3' };

  // Scripts of a Python environment name its own path, so it is made in its place and not moved there.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(settings.cacheDir, { recursive: true });
  const log = new LogFile(dataDir, 'schemathesis-install');
  const run = (...command: [string, ...string[]]) => runProgram(command, log, settings.environment);
  if ((await run(python, '-m', 'venv', folder)) !== 0) {
    return { lacks: `python3 makes no environments (is python3-venv missing?): ${log.tail(1).join('')}` };
  }
  const pip = [join(folder, 'bin/python'), '-m', 'pip', 'install', '--quiet'] as const;
  const code = await run(
    'timeout',
    INSTALL_LIMIT_SECONDS,
    ...pip,
    '--disable-pip-version-check',
    ...PACKAGES,
  );
  if (code !== 0) return { lacks: `pip could not install ${PACKAGES[0]}: ${log.tail(1).join('')}` };
  mkdirSync(finished);
  return { program };
}

if (argv[1] === resolve(import.meta.filename)) {
  const settings = loadStartSettings();
  const found = await installSchemathesis(settings, settings.cacheDir);
  console.log('program' in found ? found.program : `Not here: ${found.lacks}`);
  process.exitCode = 'program' in found ? 0 : 1;
}
