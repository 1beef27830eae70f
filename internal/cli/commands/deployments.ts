import { type Command, InvalidArgumentError } from 'commander';
import type { Deployment, ListedDeployment } from '../api-views.ts';
import { CliError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { describeCommit, describeDuration, describeSeconds } from '../describe-deployment.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findApp, findAppOrDeployment } from '../find-app.ts';
import { formatTable } from '../table.ts';
import { paintStatus } from './paint-status.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

interface ListOptions {
  readonly status?: string;
  readonly branch?: string;
  readonly limit: number;
}

export function addDeploymentCommands(program: Command, context: Context): void {
  program
    .command('deployments')
    .description('list deployments, newest first')
    .argument('[app]', 'name or id; default: all apps')
    .option('--status <names>', 'e.g. live or failed; with commas between')
    .option('--branch <name>', 'of this branch only')
    .option('--limit <number>', 'so many at most', limit, DEFAULT_LIMIT)
    .action(context.act((app: string | undefined, options: ListOptions) => list(context, app, options)));
  program
    .command('cancel')
    .description('cancel a deployment that has not taken over the traffic yet')
    .argument('<deployment|app>', 'id, or the app whose newest deployment is meant')
    .action(context.act((target: string) => cancel(context, target)));
}

async function list(
  context: Context,
  nameOrId: string | undefined,
  { limit: most, ...filter }: ListOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = nameOrId === undefined ? null : await findApp(client, nameOrId);
  const path = app === null ? '/deployments' : `/apps/${app.id}/deployments`;
  const deployments = await client.list<ListedDeployment>(path, { ...filter }, most);
  const lines = formatTable<ListedDeployment>(
    deployments,
    [
      { title: 'ID', value: ({ id }) => id, isWhole: true },
      { title: 'APP', value: (deployment) => deployment.app_name },
      {
        title: 'STATUS',
        value: ({ status }) => status,
        paint: paintStatus(terminal.outColours),
        isWhole: true,
      },
      { title: 'CREATED', value: (deployment) => `${age(deployment)} ago`, isWhole: true },
      { title: 'TOOK', value: (deployment) => describeDuration(deployment) ?? '', isWhole: true },
      { title: 'BRANCH', value: ({ branch }) => branch ?? '' },
      { title: 'COMMIT', value: describeCommit },
      { title: 'REASON', value: (deployment) => deployment.failure_code ?? '' },
    ],
    terminal.width,
  );
  terminal.result(deployments, lines);
  return EXIT.ok;
}

async function cancel(context: Context, target: string): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const found = await findAppOrDeployment(client, target);
  const id = 'deployment' in found ? found.deployment.id : found.app.latest_deployment?.id;
  if (id === undefined) {
    throw new CliError(EXIT.refused, `The app "${target}" has no deployment.`, { code: 'not_found' });
  }
  const deployment = await client.post<Deployment>(`/deployments/${id}/cancel`);
  const isOver = deployment.status === 'cancelled';
  terminal.message(`Deployment ${id} ${isOver ? 'is cancelled' : 'will be cancelled within seconds'}.`);
  terminal.result(deployment, []);
  return EXIT.ok;
}

function age({ created_at }: ListedDeployment): string {
  return describeSeconds((Date.now() - Date.parse(created_at)) / 1000);
}

function limit(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT) return value;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${MAX_LIMIT}`);
}
