import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findApp } from '../find-app.ts';

export function addOpenCommand(program: Command, context: Context): void {
  program
    .command('open')
    .description('print the URL of an app, and open it where there is a desktop')
    .argument('<app>', 'name or id')
    .action(context.act((app: string) => open(context, app)));
}

async function open(context: Context, nameOrId: string): Promise<ExitCode> {
  const { terminal, settings } = context;
  const app = await findApp(await connect(context), nameOrId);
  if (app.url === null) {
    throw new CliError(EXIT.refused, `The app "${app.name}" has no host.`, { code: 'no_host' });
  }
  terminal.result({ url: app.url }, [app.url]);
  if (terminal.isInteractive && settings.hasDisplay && /^https?:\/\//.test(app.url)) openInBrowser(app.url);
  return EXIT.ok;
}

/** Where there is no such program, the printed URL is enough. */
function openInBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
