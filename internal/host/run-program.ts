import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { LogFile } from './log-file.ts';

/** Runs a program to its end, its words going to a log. Resolves with the exit code; 127 when it is not there. */
export function runProgram(
  argv: readonly [string, ...string[]],
  log: LogFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [command, ...args] = argv;
  const output = log.open();
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...environment }, stdio: ['ignore', output, output] });
    closeSync(output);
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
