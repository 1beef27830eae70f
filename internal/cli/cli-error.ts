import { EXIT, type ExitCode } from './exit-code.ts';

export interface FieldMessage {
  readonly field: string;
  readonly message: string;
}

/** Ends a command with one sentence for the person and an exit code for the script. `code` is the API's where it has one. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly fields: readonly FieldMessage[];

  constructor(
    exitCode: ExitCode,
    message: string,
    more: { code: string; fields?: readonly FieldMessage[]; cause?: unknown },
  ) {
    super(message, { cause: more.cause });
    this.exitCode = exitCode;
    this.code = more.code;
    this.fields = more.fields ?? [];
  }
}

export function usageError(message: string): CliError {
  return new CliError(EXIT.usage, message, { code: 'usage' });
}

/** The reason of the abort signal: a signal came, or the reader of our output went. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: keyof typeof SIGNAL_NUMBERS) {
    super(`Interrupted by ${signal}.`);
    // As shells tell of a program that a signal ended.
    this.exitCode = 128 + SIGNAL_NUMBERS[signal];
  }
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 } as const;
