import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart } from './cannot-start.ts';
import { findProgram } from './host-facts.ts';
import { LogFile } from './log-file.ts';
import { runProgram } from './run-program.ts';

/** The version that routing was measured with; 3.6.1 or newer is needed for Docker Engine 29. */
export const TRAEFIK_VERSION = 'v3.6.12';
const MODULE = `github.com/traefik/traefik/v3@${TRAEFIK_VERSION}`;

interface BuildOptions {
  /** Outlives any DATA_DIR: the binary is the same for all. */
  readonly cacheDir: string;
  /** For the compiler's log. */
  readonly dataDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  say(text: string): void;
}

/**
 * Where no image can be pulled: Traefik from its Go module, built once and cached. The first build takes minutes.
 * @returns the binary's path. @throws CannotStart without Go, or when the module cannot be fetched or built
 */
export async function buildTraefik(options: BuildOptions): Promise<string> {
  const binary = join(options.cacheDir, `traefik-${TRAEFIK_VERSION}-${process.platform}-${process.arch}`);
  if (existsSync(binary)) return binary;

  const go = findProgram('go', options.environment['PATH']);
  if (go === null) {
    throw new CannotStart(
      'The Traefik image cannot be pulled and there is no Go to build it: allow the pull, install Go 1.24 or newer, or set TRAEFIK_BINARY to a finished Traefik.',
    );
  }
  options.say('building Traefik from its Go module (once; minutes on a small machine)');
  mkdirSync(options.cacheDir, { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  try {
    await compile(go, unfinished, options);
    // Whole or not at all, also when two builds run at once.
    renameSync(unfinished, binary);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return binary;
}

async function compile(go: string, output: string, options: BuildOptions): Promise<void> {
  const log = new LogFile(options.dataDir, 'traefik-build');
  const environment = { ...options.environment, CGO_ENABLED: '0' };
  const source = await downloadModule(go, log, environment);
  const code = await runProgram(
    [go, 'build', '-C', source, '-trimpath', '-ldflags', '-s -w', '-o', output, './cmd/traefik'],
    log,
    environment,
  );
  if (code !== 0) throw new CannotStart(`Traefik could not be built (${log.path}):`, log.tail(10));
}

async function downloadModule(
  go: string,
  log: LogFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  // Its JSON names the module's folder, so no second question about GOMODCACHE.
  const code = await runProgram([go, 'mod', 'download', '-json', MODULE], log, environment);
  const folder = /"Dir": "([^"]+)"/.exec(log.tail(40).join('\n'))?.[1];
  if (code !== 0 || folder === undefined) {
    throw new CannotStart(`Traefik's Go module could not be fetched (${log.path}):`, log.tail(10));
  }
  return folder;
}
