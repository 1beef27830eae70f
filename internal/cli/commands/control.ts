import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { App, Deployment, Release } from '../api-views.ts';
import { type Context, connect } from '../context.ts';
import { describeCommit } from '../describe-deployment.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findApp } from '../find-app.ts';
import { projectIdOf } from '../find-project.ts';
import { Patience } from '../patience.ts';
import { formatTable } from '../table.ts';
import { finishDeployment } from './deploy.ts';
import { paintStatus } from './paint-status.ts';

const LOOK_EVERY_MS = 500;
const DEFAULT_LIMIT = 20;

interface InProject {
  readonly project?: string;
}
interface Waiting extends InProject {
  readonly wait?: true;
}

/** What is asked of an app as a whole: to run or not, and as which release. */
export function addControlCommands(program: Command, context: Context): void {
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .argument('<app>', 'name or id')
      .option('--project <name>', 'of this project');
  const waiting = (name: string, description: string) =>
    command(name, description).option('--wait', 'follow it until it is done');

  waiting('stop', 'stop an app: answers under way are finished, and it stays stopped').action(
    context.act((app: string, options: Waiting) => stop(context, app, options)),
  );
  waiting('start', 'start a stopped app with the release that ran last').action(
    context.act((app: string, options: Waiting) => ask(context, app, { what: 'start', options })),
  );
  waiting('restart', 'replace the containers of an app, without losing a request').action(
    context.act((app: string, options: Waiting) => ask(context, app, { what: 'restart', options })),
  );
  waiting('rollback', 'bring an earlier release back: its image and its settings')
    .option('--to <deployment>', 'default: the last release that differs from the present one')
    .action(
      context.act((app: string, options: Waiting & { readonly to?: string }) =>
        ask(context, app, { what: 'rollback', options, body: { deployment_id: options.to } }),
      ),
    );
  command('resume', 'let pushes deploy an app again, which a rollback holds').action(
    context.act((app: string, options: InProject) => resume(context, app, options)),
  );
  command('releases', 'list releases of an app, and whether one can roll back to them').action(
    context.act((app: string, options: InProject) => releases(context, app, options)),
  );
}

async function appOf(client: ApiClient, nameOrId: string, { project }: InProject): Promise<App> {
  return findApp(client, nameOrId, await projectIdOf(client, project));
}

async function ask(
  context: Context,
  nameOrId: string,
  of: { what: string; options: Waiting; body?: Readonly<Record<string, unknown>> },
): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await appOf(client, nameOrId, of.options);
  const deployment = await client.post<Deployment>(`/apps/${app.id}/${of.what}`, of.body);
  terminal.message(`Deployment ${deployment.id} of ${app.name} is queued.`);
  if (of.what === 'rollback') {
    terminal.message(`Pushes deploy ${app.name} no more, until "berth resume ${app.name}".`);
  }
  if (of.options.wait) return finishDeployment(context, client, deployment.id);
  terminal.result(deployment, [deployment.id]);
  return EXIT.ok;
}

async function stop(context: Context, nameOrId: string, options: Waiting): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await appOf(client, nameOrId, options);
  const asked = await client.post<App>(`/apps/${app.id}/stop`);
  const stopped = options.wait ? await untilEnded(context, client, asked) : asked;
  const isOver = stopped.live_deployment_id === null;
  terminal.message(`App ${app.name} ${isOver ? 'is stopped' : 'will be stopped soon'}.`);
  terminal.result(stopped, []);
  return EXIT.ok;
}

/** Its containers are gone, or someone has started it again. */
async function untilEnded(context: Context, client: ApiClient, asked: App): Promise<App> {
  const { signal } = context;
  const patience = new Patience({ signal });
  let app = asked;
  while (app.status === 'stopped' && app.live_deployment_id !== null) {
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    app = await patience.ask(() => client.get<App>(`/apps/${asked.id}`));
  }
  return app;
}

async function resume(context: Context, nameOrId: string, options: InProject): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await appOf(client, nameOrId, options);
  const resumed = await client.post<App>(`/apps/${app.id}/resume`);
  const effect = resumed.auto_deploy ? 'Pushes deploy it again' : 'Nothing holds it, but auto_deploy is off';
  terminal.message(`${effect}: ${app.name}.`);
  terminal.result(resumed, []);
  return EXIT.ok;
}

async function releases(context: Context, nameOrId: string, options: InProject): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await appOf(client, nameOrId, options);
  const found = await client.list<Release>(`/apps/${app.id}/releases`, {}, DEFAULT_LIMIT);
  const lines = formatTable<Release>(
    found,
    [
      { title: 'ID', value: (release) => release.deployment_id, isWhole: true },
      {
        title: 'STATUS',
        value: ({ status }) => status,
        paint: paintStatus(terminal.outColours),
        isWhole: true,
      },
      { title: 'LIVE SINCE', value: ({ live_at }) => live_at, isWhole: true },
      { title: 'TRIGGER', value: ({ trigger }) => trigger },
      { title: 'COMMIT', value: (release) => describeCommit({ ...release, requested_sha: null }) },
      { title: 'ROLLBACK', value: (release) => release.rollback_obstacle ?? 'possible' },
    ],
    terminal.width,
  );
  terminal.result(found, lines);
  return EXIT.ok;
}
