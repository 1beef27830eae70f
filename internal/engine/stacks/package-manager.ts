import type { Manifest } from './node-manifest.ts';

/** How one package manager installs and runs, as words of a Dockerfile. Nothing here holds text of a user. */
export interface PackageManager {
  readonly name: 'npm' | 'pnpm' | 'yarn' | 'bun';
  /** Beside package.json, what the install reads, as far as it is there. */
  readonly files: readonly string[];
  /** As root, before anything else; the base image brings npm only. */
  readonly setUp: readonly string[];
  /** `withDev`: a build follows, which needs development dependencies. */
  install(of: { isLocked: boolean; withDev: boolean }): string;
  /** Removes development dependencies after the build; null: it cannot, they stay. */
  readonly prune: string | null;
  run(script: string): readonly string[];
  /** Builds a package of a workspace, whose root is the current folder. */
  buildPackage(path: string): readonly string[];
  /** Its install may need any file of the repository, not only the manifests. */
  readonly readsSources: boolean;
}

const LOCK_FILES = {
  npm: ['npm-shrinkwrap.json', 'package-lock.json'],
  pnpm: ['pnpm-lock.yaml'],
  yarn: ['yarn.lock'],
  bun: ['bun.lock', 'bun.lockb'],
} as const satisfies Record<PackageManager['name'], readonly string[]>;

const NAMES = Object.keys(LOCK_FILES) as PackageManager['name'][];

export interface ChosenPackageManager {
  readonly manager: PackageManager;
  /** Null: there is none, and the newest versions that fit are installed. */
  readonly lockFile: string | null;
  /** Lock files of others, which count for nothing. */
  readonly ignored: readonly string[];
}

/**
 * By the lock file; where there are several, or none, by the manifest's `packageManager` (Node's corepack documentation:
 * `name@version`), else Bun where the manifest uses it, else npm.
 */
export function choosePackageManager(
  files: readonly string[],
  { packageManager: packageManagerField, usesBun }: Pick<Manifest, 'packageManager' | 'usesBun'>,
): ChosenPackageManager {
  const unlocked = usesBun ? 'bun' : 'npm';
  const wanted = parseField(packageManagerField);
  const locked = NAMES.filter((name) => LOCK_FILES[name].some((file) => files.includes(file)));
  const name =
    wanted && (locked.length === 0 || locked.includes(wanted.name)) ? wanted.name : (locked[0] ?? unlocked);
  const version = wanted?.name === name ? wanted.version : null;
  return {
    manager: managerOf(name, version),
    lockFile: LOCK_FILES[name].find((file) => files.includes(file)) ?? null,
    ignored: locked
      .filter((other) => other !== name)
      .flatMap((other) => LOCK_FILES[other].filter((file) => files.includes(file))),
  };
}

function parseField(field: string | null): { name: PackageManager['name']; version: string } | null {
  const [, name, version] =
    /^(npm|pnpm|yarn|bun)@(\d+\.\d+\.\d+(?:-[\w.]+)?)(?:\+[\w.]+)?$/.exec(field ?? '') ?? [];
  const known = NAMES.find((candidate) => candidate === name);
  return known && version ? { name: known, version } : null;
}

function managerOf(name: PackageManager['name'], version: string | null): PackageManager {
  switch (name) {
    case 'npm':
      return npm;
    case 'pnpm':
      return pnpm(version ?? '9');
    case 'yarn':
      return version === null || version.startsWith('1.') ? yarnClassic(version ?? '1') : yarnBerry(version);
    case 'bun':
      return bun(version ?? '1');
    default:
      return name satisfies never;
  }
}

const globally = (what: string) => [`RUN npm install --global --no-audit --no-fund ${what} && rm -rf ~/.npm`];

const npm: PackageManager = {
  name: 'npm',
  files: [...LOCK_FILES.npm, '.npmrc'],
  setUp: [],
  install: ({ isLocked, withDev }) =>
    `${isLocked ? 'npm ci' : 'npm install'} --no-audit --no-fund${withDev ? ' --include=dev' : ''} && rm -rf ~/.npm`,
  // With --ignore-scripts: `prepare` was run by the install and may need what is pruned here.
  prune: 'npm prune --omit=dev --ignore-scripts --no-audit --no-fund',
  run: (script) => (script === 'start' ? ['npm', 'start'] : ['npm', 'run', script]),
  buildPackage: (path) => ['npm', 'run', 'build', `--workspace=${path}`],
  readsSources: false,
};

const pnpm = (version: string): PackageManager => ({
  name: 'pnpm',
  files: ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', '.pnpmfile.cjs'],
  setUp: globally(`pnpm@${version}`),
  install: ({ isLocked, withDev }) =>
    `pnpm install ${isLocked ? '--frozen-lockfile' : '--no-frozen-lockfile'} ${withDev ? '--prod=false' : '--prod'} && rm -rf ~/.cache`,
  // Not `pnpm prune`, which leaves the members of a workspace without their packages. CI: it would ask before it removes
  // the folder that it cannot change in place.
  prune: 'CI=true pnpm install --prod --ignore-scripts --prefer-offline',
  run: (script) => ['pnpm', 'run', script],
  buildPackage: (path) => ['pnpm', '--dir', path, 'run', 'build'],
  readsSources: false,
});

const inYarn = (path: string) => ['yarn', '--cwd', path, 'run', 'build'];

const yarnClassic = (version: string): PackageManager => ({
  name: 'yarn',
  files: ['yarn.lock', '.yarnrc', '.npmrc'],
  setUp: globally(`yarn@${version} --force`),
  install: ({ isLocked, withDev }) =>
    `yarn install --non-interactive ${isLocked ? '--frozen-lockfile ' : ''}--production=${withDev ? 'false' : 'true'} && yarn cache clean`,
  prune: 'yarn install --non-interactive --production --ignore-scripts --prefer-offline && yarn cache clean',
  run: (script) => ['yarn', 'run', script],
  buildPackage: inYarn,
  readsSources: false,
});

/**
 * From version 2 on. Plug'n'Play, plugins and patches lie in the repository, so the install sees all of it. Packages are
 * kept there, too, as Plug'n'Play runs them out of their archives; beside node_modules they are of no use.
 */
const yarnBerry = (version: string): PackageManager => ({
  name: 'yarn',
  files: ['yarn.lock', '.yarnrc.yml'],
  setUp: ['ENV YARN_ENABLE_GLOBAL_CACHE=false', ...globally(`@yarnpkg/cli-dist@${version} --force`)],
  install: ({ isLocked }) =>
    `yarn install ${isLocked ? '--immutable' : '--no-immutable'} && { test ! -d node_modules || rm -rf .yarn/cache; }`,
  prune: null,
  run: (script) => ['yarn', 'run', script],
  buildPackage: inYarn,
  readsSources: true,
});

const bun = (version: string): PackageManager => ({
  name: 'bun',
  files: ['bun.lock', 'bun.lockb', 'bunfig.toml', '.npmrc'],
  setUp: globally(`bun@${version}`),
  install: ({ isLocked, withDev }) =>
    `bun install${isLocked ? ' --frozen-lockfile' : ''}${withDev ? '' : ' --production'} && rm -rf ~/.bun/install/cache`,
  prune: null,
  run: (script) => ['bun', 'run', script],
  buildPackage: (path) => ['bun', 'run', `--cwd=${path}`, 'build'],
  readsSources: false,
});
