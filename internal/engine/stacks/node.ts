import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import type { BuildSettings, RepositoryFacts } from '../plan-build.ts';
import { execForm, type Recipe, type Stack } from './stack.ts';

/** Node with npm. The base image has node, npm, a shell and a user `node`, as the official ones do. */
export const nodeStack: Stack = {
  name: 'node',
  looksFor: 'a package.json with a "start" script (or start_command set on the app)',

  recipe(facts, settings) {
    if (facts.packageJson === null) return null;
    const manifest = readManifest(facts.packageJson);
    const start = settings.startCommand === null ? startOf(manifest) : execForm(settings.startCommand);
    if (start === null) return null;
    return nodeRecipe(facts, settings, { manifest, start });
  },
};

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  /** Installing reads more than the manifest: workspaces, `file:` dependencies. */
  readonly readsSources: boolean;
}

const LOCK_FILES = ['npm-shrinkwrap.json', 'package-lock.json'];
const OTHER_LOCK_FILES = ['pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];
/** Scripts that npm runs by itself at install; they may need any file of the repository. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

function nodeRecipe(
  facts: RepositoryFacts,
  settings: BuildSettings,
  found: { manifest: Manifest; start: string },
): Recipe {
  const { manifest, start } = found;
  const lockFile = LOCK_FILES.find((name) => facts.files.includes(name));
  const build =
    settings.buildCommand === null
      ? 'build' in manifest.scripts && '["npm","run","build"]'
      : execForm(settings.buildCommand);
  const install = lockFile ? 'npm ci' : 'npm install';
  const scripted = INSTALL_SCRIPTS.some((name) => name in manifest.scripts);
  const manifests = ['package.json', ...LOCK_FILES, '.npmrc'].filter((name) => facts.files.includes(name));
  const sources = 'COPY --chown=node:node . .';

  const dockerfile = [
    `FROM ${settings.nodeImage}`,
    'ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH',
    'WORKDIR /app',
    'RUN chown node:node /app',
    'USER node',
    // Dependencies are a layer of their own, so that a change of sources alone installs nothing.
    ...(scripted || manifest.readsSources ? [sources] : [`COPY --chown=node:node ${manifests.join(' ')} ./`]),
    `RUN ${install} --no-audit --no-fund${build ? ' --include=dev' : ''} && rm -rf ~/.npm`,
    ...(scripted || manifest.readsSources ? [] : [sources]),
    // With --ignore-scripts: `prepare` was run by the install and may need what is pruned here.
    ...(build ? [`RUN ${build}`, 'RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund'] : []),
    `CMD ${start}`,
  ];
  const ignored = OTHER_LOCK_FILES.find((name) => facts.files.includes(name));
  return {
    dockerfile: `${dockerfile.join('\n')}\n`,
    because: [
      `package.json says Node, ${install} ${lockFile ? `by ${lockFile}` : 'as there is no package-lock.json'}`,
      ...(!lockFile && ignored ? [`${ignored} is not used, since npm installs`] : []),
    ].join('; '),
  };
}

/** `node …` runs as it is: without npm in between it gets the signals itself and saves npm's memory. */
function startOf({ scripts }: Manifest): string | null {
  const start = scripts['start'];
  if (start === undefined) return null;
  const hooked = 'prestart' in scripts || 'poststart' in scripts;
  const direct = !hooked && /^node(?: +[\w./:@%+,-][\w./:@%+,=-]*)+$/.test(start.trim());
  return direct ? JSON.stringify(start.trim().split(/ +/)) : '["npm","start"]';
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
