import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { App, Environment, EnvVar } from '../api-views.ts';
import { readAll } from '../ask.ts';
import { parseAssignments } from '../assignments.ts';
import { CliError, usageError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findApp } from '../find-app.ts';
import { projectIdOf } from '../find-project.ts';
import { formatTable } from '../table.ts';
import { appOfFolder } from './deploy.ts';

interface Where {
  readonly app?: string;
  readonly project?: string;
}
interface SetOptions extends Where {
  readonly scope?: string;
  readonly fromFile?: string;
}

const SCOPES = ['runtime', 'build', 'both'];

export function addEnvCommands(program: Command, context: Context): void {
  const env = program
    .command('env')
    .description('list, set, remove and export environment variables of an app');
  withApp(env.command('list', { isDefault: true }))
    .description('list the variables of an app, without values')
    .argument('[app]', 'name or id; default: the app of this Git checkout')
    .action(
      context.act((app: string | undefined, where: Where) =>
        list(context, { ...where, ...(app && { app }) }),
      ),
    );
  withApp(env.command('set'))
    .description('set variables; the next deployment brings them')
    .argument('[assignments...]', 'KEY=VALUE, or KEY=- for one value from standard input')
    .option('--from-file <file>', 'take the variables of a .env file; - is standard input')
    .addOption(
      new Option(
        '--scope <scope>',
        'build: public in the image; default: as it is, runtime for a new one',
      ).choices(SCOPES),
    )
    .action(context.act((given: string[], options: SetOptions) => set(context, given, options)));
  withApp(env.command('unset'))
    .description('remove variables; the live release has them until the next deployment')
    .argument('<keys...>')
    .action(context.act((keys: string[], where: Where) => unset(context, keys, where)));
  withApp(env.command('export'))
    .description('print the variables with their values, as a .env file')
    .argument('[app]', 'name or id; default: the app of this Git checkout')
    .action(
      context.act((app: string | undefined, where: Where) =>
        print(context, { ...where, ...(app && { app }) }),
      ),
    );
}

function withApp(command: Command): Command {
  return command
    .option('-a, --app <app>', 'name or id; default: the app of this Git checkout')
    .option('--project <name>', 'where the app is');
}

async function list(context: Context, where: Where): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const app = await appOf(context, client, where);
  const environment = await client.get<Environment>(`/apps/${app.id}/env`);
  const lines = formatTable<EnvVar>(
    environment.items,
    [
      { title: 'KEY', value: ({ key }) => key },
      { title: 'SCOPE', value: ({ scope }) => scope, isWhole: true },
      { title: 'CHANGED', value: ({ updated_at }) => updated_at.slice(0, 10), isWhole: true },
      { title: 'PENDING', value: ({ pending }) => (pending ? 'yes' : ''), isWhole: true },
    ],
    terminal.width,
  );
  terminal.result(environment, lines);
  if (environment.items.length === 0)
    terminal.message(`${app.name} has no variables; "berth env set" adds them.`);
  tellPending(context, app, environment);
  return EXIT.ok;
}

async function set(context: Context, given: readonly string[], options: SetOptions): Promise<ExitCode> {
  const { fromFile, scope } = options;
  if ((fromFile === undefined) === (given.length === 0)) throw usageError('Give KEY=VALUE, or --from-file.');
  const variables = await parseAssignments(given, () => readAll(context.questioner));
  const text = fromFile === undefined ? null : await readDotenv(context, fromFile);
  const client = await connect(context);
  const app = await appOf(context, client, options);
  const path = `/apps/${app.id}/env`;
  const environment = await (text === null
    ? client.put<Environment>(`${path}?merge=true`, {
        variables: variables.map((one) => ({ ...one, scope })),
      })
    : client.post<Environment>(`${path}/import`, { text, scope }));
  const what = text === null ? variables.map(({ key }) => key).join(', ') : fromFile;
  context.terminal.message(`${app.name} has ${what === '-' ? 'what was piped in' : what}.`);
  tellPending(context, app, environment);
  context.terminal.result(environment, []);
  return EXIT.ok;
}

async function unset(context: Context, keys: readonly string[], where: Where): Promise<ExitCode> {
  const client = await connect(context);
  const app = await appOf(context, client, where);
  for (const key of keys) {
    // It goes into a path.
    if (!/^\w+$/.test(key)) throw usageError(`"${key}" is no name of a variable.`);
    await client.delete(`/apps/${app.id}/env/${key}`);
    context.terminal.message(`${key} is removed from ${app.name}.`);
  }
  const environment = await client.get<Environment>(`/apps/${app.id}/env`);
  tellPending(context, app, environment);
  context.terminal.result(environment, []);
  return EXIT.ok;
}

async function print(context: Context, where: Where): Promise<ExitCode> {
  const client = await connect(context);
  const app = await appOf(context, client, where);
  const text = await client.text(`/apps/${app.id}/env/export`);
  context.terminal.result({ text }, text === '' ? [] : [text.replace(/\n$/, '')]);
  return EXIT.ok;
}

async function appOf(context: Context, client: ApiClient, { app, project }: Where): Promise<App> {
  const projectId = await projectIdOf(client, project);
  return app === undefined ? appOfFolder(context, client, projectId) : findApp(client, app, projectId);
}

async function readDotenv({ folder, questioner }: Context, file: string): Promise<string> {
  if (file === '-') return readAll(questioner);
  return readFile(resolve(folder, file), 'utf8').catch((error: unknown) => {
    throw new CliError(EXIT.usage, `${file} cannot be read (${String(Object(error).code)}).`, {
      code: 'no_file',
    });
  });
}

function tellPending({ terminal }: Context, app: App, { pending_changes: keys }: Environment): void {
  if (keys.length === 0) return;
  terminal.message(`Not live yet: ${keys.join(', ')}; "berth deploy ${app.name}" brings them.`);
}
