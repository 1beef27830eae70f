import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { App, Deployment } from '../api-views.ts';
import { awaitDeployment } from '../await-deployment.ts';
import { readOrigin } from '../checkout-origin.ts';
import { usageError } from '../cli-error.ts';
import { type Context, connect } from '../context.ts';
import { describeFailure } from '../describe-deployment.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-code.ts';
import { findApp, findAppOfRepository } from '../find-app.ts';
import { projectIdOf } from '../find-project.ts';

interface DeployOptions {
  readonly branch?: string;
  readonly commit?: string;
  readonly project?: string;
  readonly build: boolean;
  readonly cache: boolean;
  readonly wait?: true;
}

export function addDeployCommand(program: Command, context: Context): void {
  program
    .command('deploy')
    .description('deploy an app, or a repository; the exit code of --wait is its outcome')
    .argument(
      '[app|repository]',
      'name or id, https URL or owner/name; default: the app of this Git checkout',
    )
    .option('--branch <name>', 'another branch than the app has')
    .option('--commit <sha>', 'this commit, as 40 hex digits')
    .option(
      '--project <name>',
      'where the app is, or shall be made; default: any, and "default" for a new one',
    )
    .option('--no-build', 'the present settings with the image that runs; nothing is cloned or built')
    .option('--no-cache', 'build in any case, every step anew, on base images pulled anew')
    .option('--wait', 'follow it until it is live, or will not be')
    .action(
      context.act((target: string | undefined, options: DeployOptions) => deploy(context, target, options)),
    );
}

async function deploy(
  context: Context,
  target: string | undefined,
  options: DeployOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const deployment = await request(context, client, { target, options });
  terminal.message(`Deployment ${deployment.id} of ${deployment.app_name} is queued.`);
  if (deployment.waiting_for) terminal.message(deployment.waiting_for);
  if (options.wait) return finishDeployment(context, client, deployment.id);
  terminal.result(deployment, [deployment.id]);
  return EXIT.ok;
}

/** Waits for the end of a deployment and tells it: the URL of the app, or why there is no new release. */
export async function finishDeployment(context: Context, client: ApiClient, id: string): Promise<ExitCode> {
  const { terminal, signal } = context;
  const { deployment, lastLines } = await awaitDeployment(id, { client, terminal, signal });
  const exitCode = exitCodeOf(deployment.status) ?? EXIT.bug;
  if (exitCode === EXIT.ok) {
    const { url } = await client.get<App>(`/apps/${deployment.app_id}`);
    terminal.result(deployment, url === null ? [] : [url]);
    return exitCode;
  }
  const [headline = '', ...details] = describeFailure(deployment, lastLines);
  terminal.message([terminal.errorColours.red(headline), ...details].join('\n'));
  terminal.result(deployment, []);
  return exitCode;
}

async function request(
  context: Context,
  client: ApiClient,
  { target, options }: { target: string | undefined; options: DeployOptions },
): Promise<Deployment> {
  const { branch, commit } = options;
  const projectId = await projectIdOf(client, options.project);
  if (target !== undefined && /[/:]/.test(target)) {
    if (commit !== undefined) throw usageError('--commit goes with an app, not with a repository.');
    if (!options.build) throw usageError('--no-build goes with an app, not with a repository.');
    if (!options.cache) throw usageError('--no-cache goes with an app, not with a repository.');
    const asked = { repo: target, branch, project_id: projectId };
    const queued = await client.post<{ deployment_id: string }>('/deployments', asked);
    return client.get<Deployment>(`/deployments/${queued.deployment_id}`);
  }
  const app = await (target === undefined
    ? appOfFolder(context, client, projectId)
    : findApp(client, target, projectId));
  const how = { ...(!options.build && { build: false }), ...(!options.cache && { no_cache: true }) };
  return client.post<Deployment>(`/apps/${app.id}/deploy`, { branch, commit_sha: commit, ...how });
}

/** The app that the Git checkout builds in which the command was called. @throws CliError */
export async function appOfFolder({ folder }: Context, client: ApiClient, projectId?: string): Promise<App> {
  const origin = await readOrigin(folder);
  if (origin !== null) return findAppOfRepository(client, origin, projectId);
  throw usageError('Name an app: this folder is no Git checkout with an "origin".');
}
