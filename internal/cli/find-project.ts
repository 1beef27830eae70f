import type { ApiClient } from './api-client.ts';
import type { Page, Project } from './api-views.ts';
import { CliError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';
import { lookFor } from './look-for.ts';

/** The project of this name or id. @throws CliError when there is none */
export async function findProject(client: ApiClient, nameOrId: string): Promise<Project> {
  const { items } = await client.get<Page<Project>>('/projects', { name: nameOrId });
  const project = items[0] ?? (await lookFor<Project>(client, '/projects', nameOrId));
  if (project) return project;
  throw new CliError(EXIT.refused, `There is no project "${nameOrId}"; "berth projects" lists them.`, {
    code: 'not_found',
  });
}

/** Of the option `--project`: the project's id, or undefined where none is named. */
export async function projectIdOf(
  client: ApiClient,
  nameOrId: string | undefined,
): Promise<string | undefined> {
  return nameOrId === undefined ? undefined : (await findProject(client, nameOrId)).id;
}
