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
  readonly build?: true;
  readonly follow?: true;
  readonly level?: string;
  readonly search?: string;
  readonly time?: true;
}

export function addLogCommand(program: Command, context: Context): void {
  program
    .command('logs')
    .description('print what an app writes, or the log of a deployment')
    .argument('<app|deployment>')
    .option(
      '-f, --follow',
      'go on as it grows: of an app until you stop it, of a deployment until it has ended',
    )
    .option('--build', 'of an app: the log of its newest deployment')
    .option('--level <levels>', 'of info, warning, error, success, deploy; with commas between')
    .option('--search <text>', 'lines with this text only')
    .option('-t, --time', 'with the time of each line')
    .action(context.act((target: string, options: LogOptions) => logs(context, target, options)));
}

async function logs(context: Context, target: string, options: LogOptions): Promise<ExitCode> {
  const { terminal, signal } = context;
  const client = await connect(context);
  const path = pathOf(await findAppOrDeployment(client, target), { target, isBuild: options.build === true });
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

function pathOf(
  found: Awaited<ReturnType<typeof findAppOrDeployment>>,
  { target, isBuild }: { target: string; isBuild: boolean },
): string {
  if ('deployment' in found) return `/deployments/${found.deployment.id}/logs`;
  if (!isBuild) return `/apps/${found.app.id}/logs`;
  const newest = found.app.latest_deployment;
  if (newest) return `/deployments/${newest.id}/logs`;
  throw new CliError(EXIT.refused, `The app "${target}" has no deployment, so no log of one.`, {
    code: 'not_found',
  });
}
