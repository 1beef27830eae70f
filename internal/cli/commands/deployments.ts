import { type Command, InvalidArgumentError } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { App, Deployment, ListedDeployment } from '../api-views.ts';
import { CliError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { describeCommit, describeDuration, describeSeconds } from '../describe-deployment.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findApp, findAppOrDeployment } from '../find-app.ts';
import { formatTable } from '../table.ts';
import { paintStatus } from './paint-status.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

export function addDeploymentCommands(program: Command, context: Context): void {
  program
    .command('deployments')
    .description('list deployments, newest first')
    .argument('[app]', 'name or id; default: all apps')
    .option('--limit <number>', 'so many at most', limit, DEFAULT_LIMIT)
    .action(
      context.act((app: string | undefined, options: { limit: number }) => list(context, app, options.limit)),
    );
  program
    .command('cancel')
    .description('cancel a deployment that has not taken over the traffic yet')
    .argument('<deployment|app>', 'id, or the app whose newest deployment is meant')
    .action(context.act((target: string) => cancel(context, target)));
}

async function list(context: Context, nameOrId: string | undefined, most: number): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const deployments =
    nameOrId === undefined
      ? await listOfAllApps(client, most)
      : await listOfApp(client, (await findApp(client, nameOrId)).id, most);
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

function listOfApp(client: ApiClient, appId: string, most: number): Promise<ListedDeployment[]> {
  return client.list<ListedDeployment>(`/apps/${appId}/deployments`, most);
}

async function listOfAllApps(client: ApiClient, most: number): Promise<ListedDeployment[]> {
  const lists: ListedDeployment[] = [];
  for (const app of await client.list<App>('/apps')) lists.push(...(await listOfApp(client, app.id, most)));
  return lists.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at)).slice(0, most);
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
