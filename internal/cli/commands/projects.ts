import type { Command } from 'commander';
import type { Project } from '../api-views.ts';
import { type Context, connect } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { findProject } from '../find-project.ts';
import { isDeletionMeant } from '../is-deletion-meant.ts';
import { formatTable } from '../table.ts';
import { paintStatus } from './paint-status.ts';

export function addProjectCommands(program: Command, context: Context): void {
  const projects = program.command('projects').description('list, create and remove projects');
  projects
    .command('list', { isDefault: true })
    .description('list projects, newest first')
    .action(context.act(() => list(context)));
  projects
    .command('create')
    .description('create a project; its apps reach each other by name')
    .argument('<name>', 'becomes part of the name of its network')
    .action(context.act((name: string) => create(context, name)));
  projects
    .command('remove')
    .alias('delete')
    .description('delete a project with all its apps and its network')
    .argument('<project>', 'name or id')
    .option('--yes', 'do not ask')
    .action(
      context.act((project: string, { yes }: { yes?: true }) => remove(context, project, yes === true)),
    );
}

async function list(context: Context): Promise<ExitCode> {
  const { terminal } = context;
  const projects = await (await connect(context)).list<Project>('/projects');
  const lines = formatTable<Project>(
    projects,
    [
      { title: 'NAME', value: ({ name }) => name },
      {
        title: 'STATUS',
        value: ({ status }) => status,
        paint: paintStatus(terminal.outColours),
        isWhole: true,
      },
      { title: 'APPS', value: (project) => String(project.apps_count), isWhole: true },
      { title: 'NETWORK', value: ({ network }) => network },
    ],
    terminal.width,
  );
  terminal.result(projects, lines);
  return EXIT.ok;
}

async function create(context: Context, name: string): Promise<ExitCode> {
  const project = await (await connect(context)).post<Project>('/projects', { name });
  context.terminal.message(`Project ${project.name} is there; "berth apps create --project" fills it.`);
  context.terminal.result(project, [project.id]);
  return EXIT.ok;
}

async function remove(context: Context, nameOrId: string, isSure: boolean): Promise<ExitCode> {
  const { terminal } = context;
  const client = await connect(context);
  const project = await findProject(client, nameOrId);
  const apps = project.apps_count === 1 ? 'its app' : `its ${project.apps_count} apps`;
  const what = project.apps_count === 0 ? '' : ` with ${apps}, their containers, images and history`;
  if (!isSure && !(await isDeletionMeant(context, `Delete the project ${project.name}${what}?`))) {
    return EXIT.notDeployed;
  }
  const answer = await client.delete<unknown>(`/projects/${project.id}`);
  terminal.message(`Project ${project.name} is being deleted; in a moment it is gone.`);
  terminal.result(answer, []);
  return EXIT.ok;
}
