import { Command, CommanderError } from 'commander';
import type { CliSettings } from '../config/cli-settings.ts';
import { VERSION } from '../config/version.ts';
import type { Questioner } from './ask.ts';
import { CliError, Interrupted, usageError } from './cli-error.ts';
import { addAppCommands } from './commands/apps.ts';
import { addControlCommands } from './commands/control.ts';
import { addDeployCommand } from './commands/deploy.ts';
import { addDeploymentCommands } from './commands/deployments.ts';
import { addEnvCommands } from './commands/env.ts';
import { addLoginCommands } from './commands/login.ts';
import { addLogCommand } from './commands/logs.ts';
import { addOpenCommand } from './commands/open.ts';
import { addProjectCommands } from './commands/projects.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTokenCommands } from './commands/tokens.ts';
import { addWebhookCommands } from './commands/webhook.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit-code.ts';
import { type OutputStream, Terminal } from './terminal.ts';

export interface Surroundings {
  readonly settings: CliSettings;
  readonly stdin: Questioner['input'];
  readonly stdout: OutputStream;
  readonly stderr: OutputStream & Questioner['output'];
  /** Aborted with an Interrupted when a signal comes. */
  readonly signal: AbortSignal;
  readonly folder: string;
}

/** Runs one command line. @returns its exit code; whatever went wrong has been told */
export async function runCli(args: readonly string[], around: Surroundings): Promise<number> {
  const { settings, stdout, stderr, signal } = around;
  const terminal = new Terminal({ stdout, stderr, mayColour: settings.mayColour });
  let exitCode: number = EXIT.ok;
  const program = buildProgram(around, {
    settings,
    terminal,
    questioner: { input: around.stdin, output: stderr, signal },
    signal,
    folder: around.folder,
    act:
      (work) =>
      async (...values) => {
        exitCode = await work(...values);
      },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return tell(error, terminal);
  }
}

function buildProgram({ stdout, stderr }: Surroundings, context: Context): Command {
  // The subcommands take over what is set before they are added.
  const program = new Command('berth')
    .description('Berth from the command line: every command is a call of its API.')
    .version(VERSION)
    .option('--json', 'print JSON on standard output, and nothing else')
    .on('option:json', () => {
      context.terminal.isJson = true;
    })
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Told below, like every other error.
      outputError: () => undefined,
    })
    .exitOverride();
  addLoginCommands(program, context);
  addStatusCommand(program, context);
  addAppCommands(program, context);
  addProjectCommands(program, context);
  addDeployCommand(program, context);
  addDeploymentCommands(program, context);
  addControlCommands(program, context);
  addEnvCommands(program, context);
  addLogCommand(program, context);
  addOpenCommand(program, context);
  addTokenCommands(program, context);
  addWebhookCommands(program, context);
  return program;
}

/** Each error is told once, here, and has its exit code. */
function tell(error: unknown, terminal: Terminal): number {
  if (error instanceof Interrupted) return error.exitCode;
  const told = asCliError(error);
  if (told === null) return EXIT.ok;
  if (told.message !== '') terminal.problem(told);
  return told.exitCode;
}

/** Null for the end of a command that only printed its help or the version. */
function asCliError(error: unknown): CliError | null {
  if (error instanceof CliError) return error;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return null;
    // Without a command the help has been printed instead.
    if (error.code === 'commander.help') return usageError('');
    const problem = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    return usageError(`${problem}; "berth --help" tells more.`);
  }
  const stack = error instanceof Error ? error.stack : String(error);
  return new CliError(EXIT.bug, `This is a fault of berth itself: ${stack}`, { code: 'bug', cause: error });
}
