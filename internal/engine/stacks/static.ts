import { buildVariables, dockerfileOf, execForm, type Recipe, type Stack } from './stack.ts';
import { STATIC_PORT, staticStage } from './static-site.ts';

/** Folders that may hold a finished site, best first. */
const FOLDERS = ['.', 'public', 'dist', 'site', 'www'];

/** A finished site: its files, served as they are. */
export const staticStack: Stack = {
  frameworks: ['static'],
  looksFor: 'an index.html',

  recipe(facts, settings): Recipe | null {
    const folder = settings.outputDirectory ?? folderOf(facts.paths);
    if (folder === null) return null;
    const port = settings.port ?? STATIC_PORT;
    const { buildCommand } = settings;
    const from = folder === '.' ? './' : `${folder}/`;
    const dockerfile =
      buildCommand === null
        ? staticStage({ image: settings.images.static, port, from, fromStage: false })
        : [
            `FROM ${settings.images.node} AS build`,
            'WORKDIR /app',
            'COPY . .',
            ...buildVariables(settings),
            `RUN ${execForm(buildCommand)}`,
            ...staticStage({ image: settings.images.static, port, from: `/app/${from}`, fromStage: true }),
          ];
    return {
      framework: 'static',
      dockerfile: dockerfileOf(dockerfile),
      because: `there is an index.html${folder === '.' ? '' : ` in ${folder}`}`,
      buildCommand,
      startCommand: `nginx on ${folder}`,
      port,
      context: 'root_directory',
    };
  },
};

function folderOf(paths: readonly string[]): string | null {
  return (
    FOLDERS.find((folder) => paths.includes(folder === '.' ? 'index.html' : `${folder}/index.html`)) ?? null
  );
}
