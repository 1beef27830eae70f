import type { ApiClient } from './api-client.ts';
import type { App, Deployment, Page } from './api-views.ts';
import { repositoryKey } from './checkout-origin.ts';
import { CliError, usageError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';
import { lookFor } from './look-for.ts';

/** The app of this name or id, of all projects or of one. @throws CliError when there is none */
export async function findApp(client: ApiClient, nameOrId: string, projectId?: string): Promise<App> {
  const app = await lookForApp(client, nameOrId, projectId);
  if (app) return app;
  throw new CliError(EXIT.refused, `There is no app "${nameOrId}"; "berth apps" lists them.`, {
    code: 'not_found',
  });
}

/** The app of this name or id, or the deployment of this id. @throws CliError when it is neither */
export async function findAppOrDeployment(
  client: ApiClient,
  nameOrId: string,
): Promise<{ app: App } | { deployment: Deployment }> {
  const app = await lookForApp(client, nameOrId);
  if (app) return { app };
  const deployment = await lookFor<Deployment>(client, '/deployments', nameOrId);
  if (deployment) return { deployment };
  throw new CliError(
    EXIT.refused,
    `There is no app and no deployment "${nameOrId}"; "berth apps" and "berth deployments" list them.`,
    { code: 'not_found' },
  );
}

/** The one app that builds this repository. @throws CliError when there is none, or more than one */
export async function findAppOfRepository(
  client: ApiClient,
  repoUrl: string,
  projectId?: string,
): Promise<App> {
  const key = repositoryKey(repoUrl);
  const apps = await client.list<App>('/apps', { project_id: projectId });
  const [app, ...others] = apps.filter((candidate) => repositoryKey(candidate.repo_url) === key);
  if (app === undefined) {
    throw usageError(`No app builds ${repoUrl}; name one, or make one with "berth apps create".`);
  }
  if (others.length > 0) {
    const names = [app, ...others].map(({ name }) => name).join(', ');
    throw usageError(`More than one app builds ${repoUrl}: ${names}; name the one you mean.`);
  }
  return app;
}

async function lookForApp(client: ApiClient, nameOrId: string, projectId?: string): Promise<App | null> {
  const { items } = await client.get<Page<App>>('/apps', { name: nameOrId, project_id: projectId });
  const [app, ...others] = items;
  if (others.length > 0) {
    const ids = items.map(({ id, project }) => `${id} (project ${project})`).join(', ');
    throw usageError(`There is more than one app "${nameOrId}"; use an id: ${ids}.`);
  }
  if (app) return app;
  const byId = await lookFor<App>(client, '/apps', nameOrId);
  return byId && (projectId ?? byId.project_id) === byId.project_id ? byId : null;
}
