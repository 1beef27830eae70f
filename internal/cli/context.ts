import type { CliSettings } from '../config/cli-settings.ts';
import { ApiClient } from './api-client.ts';
import type { Questioner } from './ask.ts';
import { chooseConnection } from './choose-connection.ts';
import type { ExitCode } from './exit-code.ts';
import { readLogin } from './stored-login.ts';
import type { Terminal } from './terminal.ts';

/** What every command works with. */
export interface Context {
  readonly settings: CliSettings;
  readonly terminal: Terminal;
  readonly questioner: Questioner;
  /** Aborted with an Interrupted when a signal comes. */
  readonly signal: AbortSignal;
  /** The folder `berth` was called in. */
  readonly folder: string;
  /** An action of commander whose result is the exit code. */
  act<A extends unknown[]>(work: (...args: A) => Promise<ExitCode>): (...args: A) => Promise<void>;
}

/** The API that the person is signed in to. @throws CliError when there is none */
export async function connect({ settings, signal }: Context): Promise<ApiClient> {
  const isWhole = settings.url !== null && settings.token !== null;
  const stored = isWhole ? null : await readLogin(settings.loginFile);
  return new ApiClient({ ...chooseConnection(settings, stored), signal });
}
