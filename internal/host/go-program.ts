import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart } from './cannot-start.ts';
import { findProgram } from './host-facts.ts';
import { LogFile } from './log-file.ts';
import { runProgram } from './run-program.ts';

export interface GoProgram {
  /** What it is called in sentences, e.g. `Traefik`. */
  readonly name: string;
  /** `path@version` */
  readonly module: string;
  /** The main package inside the module, e.g. `./cmd/traefik`. */
  readonly package: string;
  /** Name of the finished file, without the machine's kind. */
  readonly fileName: string;
  /** Said where there is no Go to build it. */
  readonly withoutGo: string;
}

export interface BuildOptions {
  /** Outlives any DATA_DIR: the binary is the same for all. */
  readonly cacheDir: string;
  /** For the compiler's log. */
  readonly dataDir: string;
  readonly environment: Environment;
  say(text: string): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A program from its Go module, built once and cached, where it can be had in no other way. The first build takes
 * minutes. @returns the binary's path. @throws CannotStart without Go, or when the module cannot be fetched or built
 */
export async function buildGoProgram(program: GoProgram, options: BuildOptions): Promise<string> {
  const binary = join(options.cacheDir, `${program.fileName}-${process.platform}-${process.arch}`);
  if (existsSync(binary)) return binary;

  const go = findProgram('go', options.environment['PATH']);
  if (go === null) throw new CannotStart(program.withoutGo);
  options.say(`building ${program.name} from its Go module (once; minutes on a small machine)`);
  mkdirSync(options.cacheDir, { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  try {
    await compile(program, { ...options, go, output: unfinished });
    // Whole or not at all, also when two builds run at once.
    renameSync(unfinished, binary);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return binary;
}

interface Compilation extends BuildOptions {
  readonly go: string;
  readonly output: string;
}

async function compile(program: GoProgram, { go, output, ...options }: Compilation): Promise<void> {
  const log = new LogFile(options.dataDir, `${program.fileName}-build`);
  const environment = { ...options.environment, CGO_ENABLED: '0' };
  const source = await downloadModule(program, { go, log, environment });
  const code = await runProgram(
    [go, 'build', '-C', source, '-trimpath', '-ldflags', '-s -w', '-o', output, program.package],
    log,
    environment,
  );
  if (code !== 0) throw new CannotStart(`${program.name} could not be built (${log.path}):`, log.tail(10));
}

async function downloadModule(
  { name, module }: GoProgram,
  { go, log, environment }: { go: string; log: LogFile; environment: Environment },
): Promise<string> {
  // Its JSON names the module's folder, so no second question about GOMODCACHE.
  const code = await runProgram([go, 'mod', 'download', '-json', module], log, environment);
  const folder = /"Dir": "([^"]+)"/.exec(log.tail(40).join('\n'))?.[1];
  if (code !== 0 || folder === undefined) {
    throw new CannotStart(`The Go module of ${name} could not be fetched (${log.path}):`, log.tail(10));
  }
  return folder;
}
