import { DeploymentFailed } from '../../errors/deployment-failed.ts';

/** What package.json says, as far as it decides how to build. */
export interface Manifest {
  readonly name: string | null;
  readonly main: string | null;
  readonly scripts: Readonly<Record<string, string>>;
  /** Names of all dependencies, development ones too. */
  readonly dependencies: ReadonlySet<string>;
  /** Installing reads more than the manifest: workspaces, `file:` dependencies, scripts of its own. */
  readonly readsSources: boolean;
  readonly isWorkspaceRoot: boolean;
  readonly packageManager: string | null;
  readonly nodeEngine: string | null;
  /** By a script or its types, where no lock file says so. */
  readonly usesBun: boolean;
}

/** Scripts that are run by themselves at install; they may need any file of the repository. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

/** @throws DeploymentFailed stack_not_recognised when it is no JSON object */
export function readManifest(text: string): Manifest {
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
  const scripts = textsOf(manifest['scripts']);
  const dependencies = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.entries(textsOf(manifest[kind])),
  );
  const engines = textsOf(manifest['engines']);
  return {
    name: textOf(manifest['name']),
    main: textOf(manifest['main']),
    scripts,
    dependencies: new Set(dependencies.map(([name]) => name)),
    packageManager: textOf(manifest['packageManager']),
    nodeEngine: engines['node'] ?? null,
    usesBun:
      'bun' in engines ||
      Object.values(scripts).some((script) => /^bunx?(?: |$)/.test(script.trim())) ||
      dependencies.some(([name]) => name === '@types/bun' || name === 'bun-types'),
    isWorkspaceRoot: 'workspaces' in manifest,
    readsSources:
      'workspaces' in manifest ||
      INSTALL_SCRIPTS.some((name) => name in scripts) ||
      dependencies.some(([, version]) => /^(?:file:|link:|workspace:|[.~]?\.?\/)/.test(version)),
  };
}

function textsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
