import { parseArgs } from 'node:util';
import { CannotStart } from '../../internal/host/cannot-start.ts';

export interface UpOptions {
  readonly sample: boolean;
  readonly detach: boolean;
  readonly help: boolean;
}

export const USAGE = `Usage: bin/up [--sample] [--detach]

Sets everything up and runs Berth: Postgres, Traefik, the API and the worker.

  --sample   deploy the application of the folder sample/ too, and print its URL
  --detach   leave it running and return; bin/down ends it
  --help     this text

Settings come from the environment, e.g. PORT=8090 HTTP_PORT=8091 bin/up; .env.example lists them all.
`;

/** @throws CannotStart for an option that does not exist. */
export function parseOptions(args: readonly string[]): UpOptions {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { sample: flag, detach: flag, help: { ...flag, short: 'h' } },
    });
    return { sample: values.sample, detach: values.detach, help: values.help };
  } catch (error) {
    throw new CannotStart(`${error instanceof Error ? error.message : String(error)}; see bin/up --help`);
  }
}
