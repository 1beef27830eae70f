import type { FrameworkChoice } from '../apps/framework.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { goStack } from './stacks/go.ts';
import { nodeStack } from './stacks/node.ts';
import { CONFIG_FILES } from './stacks/node-presets.ts';
import { PYTHON_FILES, pythonStack } from './stacks/python.ts';
import type { Recipe, Stack } from './stacks/stack.ts';
import { staticStack } from './stacks/static.ts';

/** What was seen in the root directory of a checkout, without following a link. */
export interface RepositoryFacts {
  /** Names of its regular files, sorted. */
  readonly files: readonly string[];
  /** Paths of regular files in it and in folders a few levels down, as far as they are few; sorted. */
  readonly paths: readonly string[];
  /** Text of package.json, null when there is none. */
  readonly packageJson: string | null;
  /** Text of each of `READ_FILES` that is there and small. */
  readonly texts: Readonly<Record<string, string>>;
  /** Whether a regular file stands at the Dockerfile's path (the one that was set, else `Dockerfile`). */
  readonly dockerfileFound: boolean;
  /** The workspace of JavaScript packages that the root directory is a member of. */
  readonly workspace: WorkspaceFacts | null;
}

export interface WorkspaceFacts {
  /** The root directory, seen from the workspace's root, which is the repository's: `apps/web`. */
  readonly member: string;
  /** Of its root. */
  readonly files: readonly string[];
  readonly packageJson: string;
  readonly texts: Readonly<Record<string, string>>;
  /** All of its packages, the member too, as far as they are few. */
  readonly packages: readonly WorkspacePackage[];
}

export interface WorkspacePackage {
  /** Its folder, seen from the workspace's root: `packages/ui`. */
  readonly path: string;
  readonly packageJson: string;
}

/** What may decide how a repository is built; nothing else of it is read. */
export const READ_FILES: readonly string[] = [
  '.nvmrc',
  '.node-version',
  '.python-version',
  'runtime.txt',
  'requirements.txt',
  'pyproject.toml',
  'Pipfile',
  'manage.py',
  'go.mod',
  'vendor/modules.txt',
  'Procfile',
  ...CONFIG_FILES,
  ...PYTHON_FILES,
];

/** Base images, as the operator has set them. */
export interface BaseImages {
  readonly node: string;
  readonly python: string;
  readonly go: string;
  /** With nginx. */
  readonly static: string;
}

/** The app's settings and the platform's base images: all that may change how the repository is built. */
export interface BuildSettings {
  readonly framework: FrameworkChoice;
  readonly dockerfilePath: string | null;
  readonly buildCommand: string | null;
  readonly startCommand: string | null;
  /** Where the build puts the files of a static site. */
  readonly outputDirectory: string | null;
  readonly port: number | null;
  /** Names of the variables that the build gets. */
  readonly buildVariables: readonly string[];
  readonly images: BaseImages;
}

export type BuildPlan =
  | { readonly kind: 'dockerfile'; readonly path: string }
  | ({
      readonly kind: 'generated';
      /** One sentence for the log. */
      readonly why: string;
    } & Omit<Recipe, 'because'>);

/** In order of preference; the first that recognises the repository builds it. */
export const STACKS: readonly Stack[] = [nodeStack, pythonStack, goStack, staticStack];

/**
 * Decides how a repository is built: by its Dockerfile, else by one we write for the stack it is recognised as. A
 * framework that was set goes before a Dockerfile that was only found.
 * @throws DeploymentFailed dockerfile_missing (a path was set), stack_not_recognised (with what was looked for)
 */
export function planBuild(facts: RepositoryFacts, settings: BuildSettings): BuildPlan {
  const { framework, dockerfilePath } = settings;
  const isOurs = framework !== 'auto' && dockerfilePath === null;
  if (facts.dockerfileFound && !isOurs) return { kind: 'dockerfile', path: dockerfilePath ?? 'Dockerfile' };
  if (dockerfilePath !== null) {
    throw new DeploymentFailed('dockerfile_missing', `There is no file ${dockerfilePath}.`);
  }

  const stacks = STACKS.filter(({ frameworks }) => framework === 'auto' || frameworks.includes(framework));
  for (const stack of stacks) {
    const recipe = stack.recipe(facts, settings);
    if (!recipe) continue;
    const { because, ...plan } = recipe;
    const opening = framework === 'auto' ? 'There is no Dockerfile' : `framework is set to ${framework}`;
    return { kind: 'generated', ...plan, why: `${opening}; ${because}.` };
  }
  const looked = stacks.map(({ looksFor }) => looksFor).join(', nor ');
  throw new DeploymentFailed(
    'stack_not_recognised',
    framework === 'auto'
      ? `There is no Dockerfile, nor ${looked}.`
      : `framework is set to ${framework}, but there is no ${looked.replace(/^an? /, '')}.`,
  );
}
