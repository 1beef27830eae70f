import { dirname } from 'node:path';
import { simpleGit } from 'simple-git';

/** Runs one git command and resolves with its stdout. @throws GitFailed */
export type RunGit = (args: readonly string[], flood?: Flood) => Promise<string>;

/** When a command writes more than anyone would read. */
export interface Flood {
  readonly maxBytes: number;
  /** Called for each piece beyond that; what ends the command is the signal. */
  readonly onFlood: () => void;
}

/** Git ended with an error; `output` is what it wrote, in English, possibly with a stranger's text in it. */
export class GitFailed extends Error {
  override readonly name = 'GitFailed';
  readonly output: string;

  constructor(output: string, cause: unknown) {
    super('git failed', { cause });
    this.output = output;
  }
}

export interface GitSurroundings {
  /** Where every git process runs: it and its children are found by this folder. */
  readonly directory: string;
  /** The one transport that may be used. */
  readonly protocol: 'http' | 'https' | 'ssh';
  /** What Git reads as its user's configuration: how it logs in. Null: none. */
  readonly configFile: string | null;
  /** Value of `http.curloptResolve`. */
  readonly pin: string | null;
  /** CA bundle for servers with certificates of a private authority. */
  readonly caFile: string | null;
  readonly lowSpeedSeconds: number;
  readonly signal: AbortSignal;
  /** Called when a command writes more than `MAX_OUTPUT_BYTES`, unless it has a limit of its own. */
  readonly onFlood: () => void;
}

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Prepares git for one attempt: an environment built from nothing and settings that no repository can change. */
export function prepareGit(surroundings: GitSurroundings): RunGit {
  const environment = gitEnvironment(surroundings);
  const usual: Flood = { maxBytes: MAX_OUTPUT_BYTES, onFlood: surroundings.onFlood };
  return async (args, flood = usual) => {
    const git = simpleGit({
      baseDir: surroundings.directory,
      abort: surroundings.signal,
      allowEnvironment: Object.keys(environment),
      config: gitSettings(surroundings),
      // Needed for `init --template=`, by which no hook of this machine is copied, and for the file above. Every argument
      // is ours or checked.
      unsafe: { allowUnsafeTemplateDir: true, allowUnsafeConfigPaths: true },
      errors: failureOf,
    })
      .env(environment)
      .outputHandler((_command, stdout, stderr) => watchForFlood([stdout, stderr], flood));
    try {
      return await git.raw([...args]);
    } catch (cause) {
      throw new GitFailed(cause instanceof Error ? cause.message : String(cause), cause);
    }
  };
}

/** simple-git takes a command for done that ended without a word on stderr, also one that was killed. */
function failureOf(
  found: Buffer | Error | undefined,
  { exitCode }: { readonly exitCode: number },
): Buffer | Error | undefined {
  if (found !== undefined || exitCode === 0) return found;
  return new Error(`git ended (exit code ${exitCode}) and said nothing`);
}

function watchForFlood(streams: readonly NodeJS.ReadableStream[], { maxBytes, onFlood }: Flood): void {
  let bytes = 0;
  for (const stream of streams) {
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) onFlood();
    });
  }
}

/** Nothing is inherited: no proxy, no editor, no askpass, no credential of whoever started the worker. */
function gitEnvironment(surroundings: GitSurroundings): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    // Nobody's configuration; Debian keeps this path free.
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: surroundings.protocol,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_LITERAL_PATHSPECS: '1',
    // Without it a DATA_DIR inside someone's repository would make git read that repository's configuration.
    GIT_CEILING_DIRECTORIES: dirname(surroundings.directory),
    ...(surroundings.configFile === null ? {} : { GIT_CONFIG_GLOBAL: surroundings.configFile }),
    ...(surroundings.caFile === null ? {} : { GIT_SSL_CAINFO: surroundings.caFile }),
  };
}

function gitSettings(surroundings: GitSurroundings): string[] {
  return [
    'http.followRedirects=false',
    'http.lowSpeedLimit=1',
    `http.lowSpeedTime=${surroundings.lowSpeedSeconds}`,
    'advice.detachedHead=false',
    // A garbage collection in the background would outlive the attempt.
    'gc.auto=0',
    'maintenance.auto=false',
    ...(surroundings.pin === null ? [] : [`http.curloptResolve=${surroundings.pin}`]),
  ];
}
