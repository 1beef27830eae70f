import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { App, ListedDelivery, MadeWebhook, RemovedWebhook, Webhook } from '../api-views.ts';
import { type Context, connect } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findApp } from '../find-app.ts';
import { projectIdOf } from '../find-project.ts';
import { formatFields, formatTable } from '../table.ts';
import { appOfFolder } from './deploy.ts';

interface Where {
  readonly project?: string;
}
interface CreateOptions extends Where {
  readonly rotate?: true;
}

const SHOWN = 20;

export function addWebhookCommands(program: Command, context: Context): void {
  const webhook = program
    .command('webhook')
    .description('show, create and remove the webhook by which pushes deploy an app');
  ofApp(webhook.command('show', { isDefault: true }))
    .description('show the webhook and its last deliveries')
    .action(context.act((app: string | undefined, where: Where) => show(context, app, where)));
  ofApp(webhook.command('create'))
    .description('make it, at GitHub too where that is possible')
    .option('--rotate', 'make a new secret; the old one ends at once')
    .action(context.act((app: string | undefined, options: CreateOptions) => create(context, app, options)));
  ofApp(webhook.command('remove'))
    .alias('delete')
    .description('remove it; pushes deploy nothing any more')
    .action(context.act((app: string | undefined, where: Where) => remove(context, app, where)));
}

function ofApp(command: Command): Command {
  return command
    .argument('[app]', 'name or id; default: the app of this Git checkout')
    .option('--project <name>', 'where the app is');
}

async function show(context: Context, name: string | undefined, where: Where): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await appOf(context, client, { ...where, name });
  const webhook = await client.get<Webhook>(`/apps/${app.id}/webhook`);
  const deliveries = await client.list<ListedDelivery>(`/apps/${app.id}/deliveries`, {}, SHOWN);
  const lines = formatTable<ListedDelivery>(
    deliveries,
    [
      { title: 'RECEIVED', value: ({ received_at }) => received_at.slice(0, 19), isWhole: true },
      { title: 'EVENT', value: ({ event }) => event },
      { title: 'COMMIT', value: ({ commit_sha }) => commit_sha?.slice(0, 7) ?? '', isWhole: true },
      { title: 'OUTCOME', value: ({ outcome }) => outcome, isWhole: true },
      { title: 'REASON', value: ({ reason }) => reason },
      { title: 'DEPLOYMENT', value: (delivery) => delivery.deployment_id ?? '', isWhole: true },
    ],
    terminal.width,
  );
  terminal.result({ ...webhook, deliveries }, [
    ...formatFields([
      ['url', webhook.url],
      ['secret', webhook.has_secret ? 'set' : 'none'],
      ['at GitHub', webhook.at_github ? 'yes' : 'not seen yet'],
      ['GitHub App', webhook.via_github_app ? 'tells of pushes, too' : null],
    ]),
    ...(deliveries.length > 0 ? ['', ...lines] : []),
  ]);
  const needsNone = webhook.has_secret || webhook.via_github_app;
  if (!needsNone) terminal.message(`"berth webhook create ${app.name}" makes it.`);
  return EXIT.ok;
}

async function create(
  context: Context,
  name: string | undefined,
  { rotate, ...where }: CreateOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await appOf(context, client, { ...where, name });
  const body = { rotate: rotate ?? false };
  const made = await client.post<MadeWebhook>(`/apps/${app.id}/webhook`, body);
  if (made.by_hand === null) terminal.message('It is set up at GitHub; the next push deploys.');
  else {
    terminal.message(`Not set up at GitHub: ${made.by_hand}`);
    terminal.message('Add it in the repository, under Settings → Webhooks, with these fields:');
  }
  if (made.secret === null) terminal.message('The secret is as it was; --rotate makes a new one.');
  else terminal.message('The secret is not shown again.');
  terminal.result(
    made,
    formatFields([
      ['url', made.url],
      ['content type', made.content_type],
      ['secret', made.secret],
      ['events', made.events.join(', ')],
    ]),
  );
  return EXIT.ok;
}

async function remove(context: Context, name: string | undefined, where: Where): Promise<ExitCode> {
  const client = await connect(context);
  const app = await appOf(context, client, { ...where, name });
  const removed = await client.delete<RemovedWebhook>(`/apps/${app.id}/webhook`);
  context.terminal.message(`The webhook of ${app.name} is removed.`);
  if (removed.by_hand !== null) {
    context.terminal.message(`It may still be at GitHub; remove it there, too: ${removed.by_hand}`);
  }
  context.terminal.result(removed, []);
  return EXIT.ok;
}

async function appOf(
  context: Context,
  client: ApiClient,
  { name, project }: Where & { name: string | undefined },
): Promise<App> {
  const projectId = await projectIdOf(client, project);
  return name === undefined ? appOfFolder(context, client, projectId) : findApp(client, name, projectId);
}
