import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import type { BuildSettings, RepositoryFacts } from '../plan-build.ts';
import { type ChosenPackageManager, choosePackageManager, type PackageManager } from './package-manager.ts';
import { execForm, type Recipe, type Stack } from './stack.ts';

/** Node. The base image has node, npm, a shell and a user `node`, as the official ones do. */
export const nodeStack: Stack = {
  name: 'node',
  looksFor: 'a package.json with a "start" script (or start_command set on the app)',

  recipe(facts, settings) {
    if (facts.packageJson === null) return null;
    const manifest = readManifest(facts.packageJson);
    const chosen = choosePackageManager(facts.files, manifest.packageManager);
    const start =
      settings.startCommand === null ? startOf(manifest, chosen.manager) : execForm(settings.startCommand);
    if (start === null) return null;
    return nodeRecipe(facts, settings, { manifest, start, chosen });
  },
};

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  /** Installing reads more than the manifest: workspaces, `file:` dependencies. */
  readonly readsSources: boolean;
  readonly packageManager: string | null;
}

/** Scripts that are run by themselves at install; they may need any file of the repository. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

function nodeRecipe(
  facts: RepositoryFacts,
  settings: BuildSettings,
  found: { manifest: Manifest; start: string; chosen: ChosenPackageManager },
): Recipe {
  const { manifest, start } = found;
  const { manager, lockFile, ignored } = found.chosen;
  const build =
    settings.buildCommand === null
      ? 'build' in manifest.scripts && JSON.stringify(manager.run('build'))
      : execForm(settings.buildCommand);
  const needsSources =
    manifest.readsSources || manager.readsSources || INSTALL_SCRIPTS.some((name) => name in manifest.scripts);
  const manifests = ['package.json', ...manager.files].filter((name) => facts.files.includes(name));
  const sources = 'COPY --chown=node:node . .';
  const install = manager.install({ isLocked: lockFile !== null, withDev: Boolean(build) });

  const dockerfile = [
    `FROM ${settings.nodeImage}`,
    ...manager.setUp,
    'ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH',
    'WORKDIR /app',
    'RUN chown node:node /app',
    'USER node',
    // Dependencies are a layer of their own, so that a change of sources alone installs nothing.
    ...(needsSources ? [sources] : [`COPY --chown=node:node ${manifests.join(' ')} ./`]),
    `RUN ${install}`,
    ...(needsSources ? [] : [sources]),
    ...(build ? [`RUN ${build}`, ...(manager.prune ? [`RUN ${manager.prune}`] : [])] : []),
    `CMD ${start}`,
  ];
  const command = install.split(' ').slice(0, 2).join(' ');
  return {
    dockerfile: `${dockerfile.join('\n')}\n`,
    because: [
      `package.json says Node, ${command} ${lockFile ? `by ${lockFile}` : 'as there is no lock file'}`,
      ...ignored.map((file) => `${file} is not used, since ${manager.name} installs`),
    ].join('; '),
  };
}

/** `node …` runs as it is: without a package manager in between it gets the signals itself and saves its memory. */
function startOf({ scripts }: Manifest, manager: PackageManager): string | null {
  const start = scripts['start'];
  if (start === undefined) return null;
  const hooked = 'prestart' in scripts || 'poststart' in scripts;
  // Yarn's Plug'n'Play has no node_modules: plain Node would find nothing.
  const direct =
    !hooked && !manager.readsSources && /^node(?: +[\w./:@%+,-][\w./:@%+,=-]*)+$/.test(start.trim());
  return JSON.stringify(direct ? start.trim().split(/ +/) : manager.run('start'));
}

function readManifest(text: string): Manifest {
  let manifest: unknown;
  try {
    // npm too accepts a byte order mark.
    manifest = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new DeploymentFailed('stack_not_recognised', 'The package.json is not valid JSON.', { cause });
  }
  if (!isRecord(manifest)) {
    throw new DeploymentFailed('stack_not_recognised', 'The package.json holds no JSON object.');
  }
  const scripts = isRecord(manifest['scripts']) ? manifest['scripts'] : {};
  const dependencies = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    isRecord(manifest[kind]) ? Object.values(manifest[kind]) : [],
  );
  return {
    scripts: Object.fromEntries(
      Object.entries(scripts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
    packageManager: typeof manifest['packageManager'] === 'string' ? manifest['packageManager'] : null,
    readsSources:
      'workspaces' in manifest ||
      dependencies.some(
        (version) => typeof version === 'string' && /^(?:file:|link:|[.~]?\.?\/)/.test(version),
      ),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
