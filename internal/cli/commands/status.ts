import type { Command } from 'commander';
import type { App } from '../api-views.ts';
import { type Context, connect } from '../context.ts';
import { describeWarning } from '../describe-warning.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatFields } from '../table.ts';

interface Health {
  readonly status: string;
  readonly database: string;
  /** An older API says nothing of it. */
  readonly warnings?: readonly string[];
}

export function addStatusCommand(program: Command, context: Context): void {
  program
    .command('status')
    .description('say which installation this is, whether it works and how its apps are')
    .action(context.act(() => status(context)));
}

async function status(context: Context): Promise<ExitCode> {
  const client = await connect(context);
  const { status: health, database, warnings = [] } = await client.get<Health>('/health');
  const apps = await client.list<App>('/apps');
  const counts = new Map<string, number>();
  for (const app of apps) counts.set(app.status, (counts.get(app.status) ?? 0) + 1);
  context.terminal.result(
    { url: client.url, status: health, database, apps: Object.fromEntries(counts), warnings },
    formatFields([
      ['API', client.url],
      ['status', health],
      ['database', database],
      ['apps', describeCounts(apps.length, counts)],
      ...warnings.map((code) => ['warning', describeWarning(code)] as const),
    ]),
  );
  return EXIT.ok;
}

function describeCounts(total: number, counts: ReadonlyMap<string, number>): string {
  if (total === 0) return 'none';
  const parts = [...counts].map(([appStatus, count]) => `${count} ${appStatus}`);
  return `${total}: ${parts.join(', ')}`;
}
