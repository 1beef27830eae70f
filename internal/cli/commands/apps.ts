import { type Command, InvalidArgumentError } from 'commander';
import type { App } from '../api-views.ts';
import { usageError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findApp } from '../find-app.ts';
import { projectIdOf } from '../find-project.ts';
import { isDeletionMeant } from '../is-deletion-meant.ts';
import { formatFields, formatTable } from '../table.ts';
import { finishDeployment } from './deploy.ts';
import { paintStatus } from './paint-status.ts';

interface InProject {
  readonly project?: string;
}

interface CreateOptions extends InProject {
  readonly repo: string;
  readonly branch?: string;
  readonly port?: number;
  readonly root?: string;
  readonly dockerfile?: string;
  readonly buildCommand?: string;
  readonly startCommand?: string;
  readonly healthPath?: string;
  readonly replicas?: number;
  readonly memory?: number;
  readonly cpus?: number;
  readonly drain?: number;
  readonly deploy: boolean;
  readonly wait?: true;
}

interface RemoveOptions extends InProject {
  readonly yes?: true;
}

export function addAppCommands(program: Command, context: Context): void {
  const apps = program.command('apps').description('list, show, create and delete apps');
  apps
    .command('list', { isDefault: true })
    .description('list apps, newest first')
    .option('--project <name>', 'of this project only')
    .action(context.act((options: InProject) => list(context, options)));
  apps
    .command('show')
    .description('show one app')
    .argument('<app>', 'name or id')
    .option('--project <name>', 'of this project')
    .action(context.act((app: string, options: InProject) => show(context, app, options)));
  apps
    .command('create')
    .description('create an app and deploy it')
    .argument('<name>', 'becomes part of its host name')
    .requiredOption('--repo <url>', 'https URL, or owner/name of GitHub')
    .option('--project <name>', 'default: the project "default"')
    .option('--branch <name>', 'default: main, else the default branch of the repository')
    .option(
      '--port <number>',
      'where the app listens; default: EXPOSE of its Dockerfile, else 80',
      wholeNumber,
    )
    .option('--root <folder>', 'folder of the repository that is built')
    .option('--dockerfile <path>', 'relative to that folder')
    .option('--build-command <command>', 'where there is no Dockerfile')
    .option('--start-command <command>', 'instead of what the image starts')
    .option('--health-path <path>', 'must answer 200 to 399 before a release goes live')
    .option('--replicas <number>', 'containers at a time', wholeNumber)
    .option('--memory <megabytes>', 'of each container', wholeNumber)
    .option('--cpus <number>', 'of each container', number)
    .option('--drain <seconds>', 'how long requests may take to end on the old release', wholeNumber)
    .option('--no-deploy', 'do not deploy it yet')
    .option('--wait', 'wait for the first deployment, as "berth deploy --wait" does')
    .action(context.act((name: string, options: CreateOptions) => create(context, name, options)));
  apps
    .command('delete')
    .description('delete an app with its containers, images and history')
    .argument('<app>', 'name or id')
    .option('--project <name>', 'of this project')
    .option('--yes', 'do not ask')
    .action(context.act((app: string, options: RemoveOptions) => remove(context, app, options)));
}

async function list(context: Context, { project }: InProject): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const apps = await client.list<App>('/apps', { project_id: await projectIdOf(client, project) });
  const paint = paintStatus(terminal.outColours);
  const isOneProject = new Set(apps.map((app) => app.project_id)).size <= 1;
  const lines = formatTable<App>(
    apps,
    [
      { title: 'NAME', value: ({ name }) => name },
      ...(isOneProject ? [] : [{ title: 'PROJECT', value: (app: App) => app.project }]),
      { title: 'STATUS', value: ({ status }) => status, paint, isWhole: true },
      { title: 'URL', value: ({ url }) => url ?? '' },
      { title: 'DEPLOYMENT', value: (app) => app.latest_deployment?.id ?? '', isWhole: true },
      { title: 'REPOSITORY', value: (app) => app.repo_url },
    ],
    terminal.width,
  );
  terminal.result(apps, lines);
  if (apps.length === 0) terminal.message('There are no apps yet; "berth apps create" makes one.');
  return EXIT.ok;
}

async function show(context: Context, nameOrId: string, { project }: InProject): Promise<ExitCode> {
  const client = await connect(context);
  const app = await findApp(client, nameOrId, await projectIdOf(client, project));
  const { latest_deployment: latest } = app;
  context.terminal.result(
    app,
    formatFields([
      ['name', app.name],
      ['id', app.id],
      ['project', app.project],
      ['status', app.status],
      ['url', app.url],
      ['inside', app.internal_url],
      ['live', app.live_deployment_id],
      ['latest', latest && `${latest.id} (${latest.status})`],
      ['pending changes', app.pending_changes.join(', ')],
      ['repository', app.repo_url],
      ['branch', app.branch],
      ['root', app.root_directory],
      ['dockerfile', app.dockerfile_path],
      ['build command', app.build_command],
      ['start command', app.start_command],
      ['port', app.port === null ? null : String(app.port)],
      ['health path', app.health_check_path],
      ['replicas', String(app.replicas)],
      ['memory', `${app.memory_mb} MB`],
      ['cpus', String(app.cpus)],
      ['drain', `${app.drain_seconds} s`],
      ['created', app.created_at],
    ]),
  );
  return EXIT.ok;
}

async function create(context: Context, name: string, options: CreateOptions): Promise<ExitCode> {
  if (options.wait && !options.deploy) throw usageError('--wait and --no-deploy contradict each other.');
  const client = await connect(context);
  const app = await client.post<App>('/apps', {
    name,
    project_id: await projectIdOf(client, options.project),
    repo_url: options.repo,
    branch: options.branch,
    port: options.port,
    root_directory: options.root,
    dockerfile_path: options.dockerfile,
    build_command: options.buildCommand,
    start_command: options.startCommand,
    health_check_path: options.healthPath,
    replicas: options.replicas,
    memory_mb: options.memory,
    cpus: options.cpus,
    drain_seconds: options.drain,
    deploy: options.deploy,
  });
  context.terminal.message(`App ${app.name} (${app.id}) is there.`);
  const first = app.latest_deployment?.id;
  if (options.wait && first !== undefined) return finishDeployment(context, client, first);
  context.terminal.result(app, [app.url ?? '']);
  return EXIT.ok;
}

async function remove(
  context: Context,
  nameOrId: string,
  { project, yes }: RemoveOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await findApp(client, nameOrId, await projectIdOf(client, project));
  const question = `Delete ${app.name} with its containers, images and history?`;
  if (yes !== true && !(await isDeletionMeant(context, question))) return EXIT.notDeployed;
  const answer = await client.delete<unknown>(`/apps/${app.id}`);
  terminal.message(`App ${app.name} is being deleted; in a moment it is gone.`);
  terminal.result(answer, []);
  return EXIT.ok;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number');
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number');
  return Number(text);
}
