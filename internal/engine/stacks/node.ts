import type { BuildSettings, RepositoryFacts } from '../plan-build.ts';
import { imageOfVersion, nodeVersionOf } from './base-image.ts';
import { type Manifest, readManifest } from './node-manifest.ts';
import {
  choosePreset,
  NODE_PRESETS,
  type NodeFiles,
  type NodePreset,
  startsDevelopment,
} from './node-presets.ts';
import { type ChosenPackageManager, choosePackageManager, type PackageManager } from './package-manager.ts';
import {
  buildVariables,
  type Command,
  commandText,
  dockerfileOf,
  execForm,
  type Recipe,
  type Stack,
} from './stack.ts';
import { STATIC_PORT, staticStage } from './static-site.ts';
import { packagesToBuildFirst } from './workspace-packages.ts';

/** Node and Bun. The base image has node, npm, a shell and a user `node`, as the official ones do. */
export const nodeStack: Stack = {
  frameworks: NODE_PRESETS.map(({ framework }) => framework),
  looksFor:
    'a package.json with a "start" script, a known framework or an index.js (or start_command set on the app)',

  recipe(facts, settings) {
    if (facts.packageJson === null) return null;
    const manifest = readManifest(facts.packageJson);
    const preset = choosePreset(manifest, facts, settings.framework);
    if (!preset) return null;
    return recipeFor({ facts, settings, manifest, preset });
  },
};

interface Found {
  readonly facts: RepositoryFacts;
  readonly settings: BuildSettings;
  readonly manifest: Manifest;
  readonly preset: NodePreset;
}

function recipeFor(found: Found): Recipe | null {
  const { facts, settings, manifest, preset } = found;
  const chosen = chooseManager(facts, manifest);
  const { workspace } = facts;
  const first = settings.buildCommand === null ? buildsBefore(facts, chosen.manager) : [];
  const build = buildCommand(found, chosen.manager);
  const serving = servingOf(found, chosen.manager);
  if (serving === null) return null;

  const image = imageOfVersion(settings.images.node, 'node', nodeVersion(facts, manifest));
  const folder = workspace === null ? '/app' : `/app/${workspace.member}`;
  const isBuilt = build !== null || first.length > 0;
  const stage = buildStage({ found, chosen, image, first, build, folder });
  const port = settings.port ?? STATIC_PORT;
  const dockerfile =
    'folder' in serving
      ? [
          ...stage,
          ...staticStage({
            image: settings.images.static,
            port,
            from: `${folder}/${serving.folder}/`,
            fromStage: true,
          }),
        ]
      : [
          ...stage,
          ...(isBuilt && chosen.manager.prune ? [`RUN ${chosen.manager.prune}`] : []),
          `FROM ${image}`,
          ...(needsManager(serving.start, chosen.manager) ? chosen.manager.setUp : []),
          `ENV ${environment({ NODE_ENV: 'production', PATH: pathOf(folder), ...preset.environment })}`,
          // Before WORKDIR, which would make the folder root's.
          'COPY --from=build --chown=node:node /app /app',
          `WORKDIR ${folder}`,
          'USER node',
          `CMD ${execForm(serving.start)}`,
        ];
  return {
    framework: preset.framework,
    dockerfile: dockerfileOf(dockerfile),
    because: because(preset, chosen),
    buildCommand: isBuilt
      ? [...first, ...(build === null ? [] : [build])].map(commandText).join(' && ')
      : null,
    startCommand: 'folder' in serving ? `nginx on ${serving.folder}` : commandText(serving.start),
    port: 'folder' in serving ? port : null,
    context: workspace === null ? 'root_directory' : 'repository',
  };
}

/** Dependencies are a layer of their own, so that a change of sources alone installs nothing. */
function buildStage(of: {
  found: Found;
  chosen: ChosenPackageManager;
  image: string;
  first: readonly Command[];
  build: Command | null;
  folder: string;
}): string[] {
  const { facts, settings, manifest, preset } = of.found;
  const { manager, lockFile } = of.chosen;
  const needsSources = manifest.readsSources || manager.readsSources || facts.workspace !== null;
  const manifests = ['package.json', ...manager.files].filter((name) => facts.files.includes(name));
  const sources = 'COPY --chown=node:node . .';
  const install = manager.install({
    isLocked: lockFile !== null,
    withDev: of.build !== null || of.first.length > 0,
  });
  return [
    `FROM ${of.image} AS build`,
    ...manager.setUp,
    `ENV ${environment({ NODE_ENV: 'production', PATH: pathOf(of.folder), ...preset.environment })}`,
    'WORKDIR /app',
    'RUN chown node:node /app',
    'USER node',
    ...buildVariables(settings),
    ...(needsSources ? [sources] : [`COPY --chown=node:node ${manifests.join(' ')} ./`]),
    `RUN ${install}`,
    ...(needsSources ? [] : [sources]),
    ...of.first.map((command) => `RUN ${execForm(command)}`),
    ...(of.folder === '/app' ? [] : [`WORKDIR ${of.folder}`]),
    ...(of.build === null ? [] : [`RUN ${execForm(of.build)}`]),
    ...(of.build === null || preset.buildCache === undefined ? [] : [`RUN rm -rf ${preset.buildCache}`]),
    ...(of.folder === '/app' ? [] : ['WORKDIR /app']),
  ];
}

/** Plain `node …` needs none; a command of the user may. */
function needsManager(start: Command, { name }: PackageManager): boolean {
  return typeof start === 'string' || start[0] === name;
}

/** In a workspace the lock file and the choice stand at its root. */
function chooseManager(facts: RepositoryFacts, manifest: Manifest): ChosenPackageManager {
  if (facts.workspace === null) return choosePackageManager(facts.files, manifest);
  const root = readManifest(facts.workspace.packageJson);
  return choosePackageManager(facts.workspace.files, {
    packageManager: root.packageManager ?? manifest.packageManager,
    usesBun: root.usesBun || manifest.usesBun,
  });
}

function buildCommand({ settings, manifest, preset }: Found, manager: PackageManager): Command | null {
  if (settings.buildCommand !== null) return settings.buildCommand;
  return 'build' in manifest.scripts ? manager.run('build') : preset.build;
}

/** Of the packages of its workspace that it needs. */
function buildsBefore({ workspace }: RepositoryFacts, manager: PackageManager): Command[] {
  if (workspace === null) return [];
  return packagesToBuildFirst(workspace.member, workspace.packages).map((path) => manager.buildPackage(path));
}

function servingOf(
  { facts, settings, manifest, preset }: Found,
  manager: PackageManager,
): { readonly start: Command } | { readonly folder: string } | null {
  if (settings.startCommand !== null) return { start: settings.startCommand };
  const byPreset = preset.serves(manifest, { ...facts, isBun: manager.name === 'bun' });
  if (settings.outputDirectory !== null) return { folder: settings.outputDirectory };
  if ('folder' in byPreset) return byPreset;
  const web = webOfProcfile(facts);
  if (web !== null) return { start: web };
  for (const name of [...(preset.startScripts ?? []), 'start']) {
    const start = startOf(manifest, name, manager);
    const isLast = byPreset.start === null;
    if (start !== null && (isLast || !startsDevelopment(manifest.scripts[name] ?? ''))) return { start };
  }
  return byPreset.start === null ? null : { start: byPreset.start };
}

/** `web: node server.js` (Heroku's Procfile format). */
function webOfProcfile({ texts }: NodeFiles): string | null {
  return /^web:[ \t]*(\S.*)$/m.exec(texts['Procfile'] ?? '')?.[1]?.trim() ?? null;
}

/** `node …` runs as it is: without a package manager in between it gets the signals itself and saves its memory. */
function startOf({ scripts }: Manifest, name: string, manager: PackageManager): Command | null {
  const script = scripts[name];
  if (script === undefined) return null;
  const hooked = `pre${name}` in scripts || `post${name}` in scripts;
  // Yarn's Plug'n'Play has no node_modules: plain Node would find nothing.
  const isDirect =
    !hooked && !manager.readsSources && /^node(?: +[\w./:@%+,-][\w./:@%+,=-]*)+$/.test(script.trim());
  return isDirect ? script.trim().split(/ +/) : manager.run(name);
}

function nodeVersion({ texts, workspace }: RepositoryFacts, { nodeEngine }: Manifest): string | null {
  const versionFile = texts['.nvmrc'] ?? texts['.node-version'] ?? workspace?.texts['.nvmrc'] ?? null;
  return nodeVersionOf({ versionFile, engines: nodeEngine });
}

function pathOf(folder: string): string {
  const own = folder === '/app' ? '' : `${folder}/node_modules/.bin:`;
  return `${own}/app/node_modules/.bin:$PATH`;
}

function environment(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function because(preset: NodePreset, { manager, lockFile, ignored }: ChosenPackageManager): string {
  const install = manager.install({ isLocked: lockFile !== null, withDev: false });
  const command = install.split(' ').slice(0, 2).join(' ');
  return [
    `package.json says ${preset.framework}, ${command} ${lockFile ? `by ${lockFile}` : 'as there is no lock file'}`,
    ...ignored.map((file) => `${file} is not used, since ${manager.name} installs`),
  ].join('; ');
}
