import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findAppOrDeployment } from '../find-app.ts';
import { formatEntry } from '../format-entry.ts';
import { documentOf } from '../log-entry.ts';
import { Patience } from '../patience.ts';
import { followLog, readLog } from '../read-log.ts';

interface LogOptions {
  readonly follow?: true;
  readonly level?: string;
  readonly search?: string;
  readonly time?: true;
}

export function addLogCommand(program: Command, context: Context): void {
  program
    .command('logs')
    .description('print the log of a deployment')
    .argument('<app|deployment>', 'an app stands for its newest deployment')
    .option('-f, --follow', 'go on as it grows, until the deployment has ended')
    .option('--level <levels>', 'of info, warning, error, success, deploy; with commas between')
    .option('--search <text>', 'lines with this text only')
    .option('-t, --time', 'with the time of each line')
    .action(context.act((target: string, options: LogOptions) => logs(context, target, options)));
}

async function logs(context: Context, target: string, options: LogOptions): Promise<ExitCode> {
  const { terminal, signal } = context;
  const client = await connect(context);
  const found = await findAppOrDeployment(client, target);
  const id = 'deployment' in found ? found.deployment.id : found.app.latest_deployment?.id;
  if (id === undefined) {
    throw new CliError(EXIT.refused, `The app "${target}" has no deployment, so no log.`, {
      code: 'not_found',
    });
  }
  const path = `/deployments/${id}/logs`;
  const filter = { level: options.level, q: options.search };
  const onOutage = () => terminal.message('The API does not answer; trying again …');
  const entries = options.follow
    ? followLog(client, path, { filter, patience: new Patience({ signal, onOutage }) })
    : readLog(client, path, filter);
  for await (const entry of entries) {
    // A filter is about text; the stream tells the states all the same.
    const isWanted = entry.kind === 'line' || (options.level === undefined && options.search === undefined);
    const line = formatEntry(entry, terminal.outColours, { withTime: options.time === true });
    if (isWanted) terminal.item(documentOf(entry), line);
  }
  return EXIT.ok;
}
