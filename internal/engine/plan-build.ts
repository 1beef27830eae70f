import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { nodeStack } from './stacks/node.ts';
import type { Stack } from './stacks/stack.ts';

/** What was seen in the root directory of a checkout, without following a link. */
export interface RepositoryFacts {
  /** Names of its regular files, sorted. */
  readonly files: readonly string[];
  /** Text of package.json, null when there is none. */
  readonly packageJson: string | null;
  /** Whether a regular file stands at the Dockerfile's path (the one that was set, else `Dockerfile`). */
  readonly dockerfileFound: boolean;
}

/** The app's settings and the platform's base images: all that may change how the repository is built. */
export interface BuildSettings {
  readonly dockerfilePath: string | null;
  readonly buildCommand: string | null;
  readonly startCommand: string | null;
  readonly nodeImage: string;
}

export type BuildPlan =
  | { readonly kind: 'dockerfile'; readonly path: string }
  | {
      readonly kind: 'generated';
      readonly stack: Stack['name'];
      readonly dockerfile: string;
      /** One sentence for the log. */
      readonly why: string;
    };

/** In order of preference; the first that recognises the repository builds it. */
export const STACKS: readonly Stack[] = [nodeStack];

/**
 * Decides how a repository is built: by its Dockerfile, else by one we write for the stack it is recognised as.
 * @throws DeploymentFailed dockerfile_missing (a path was set), stack_not_recognised (with what was looked for)
 */
export function planBuild(facts: RepositoryFacts, settings: BuildSettings): BuildPlan {
  if (facts.dockerfileFound) return { kind: 'dockerfile', path: settings.dockerfilePath ?? 'Dockerfile' };
  if (settings.dockerfilePath !== null) {
    throw new DeploymentFailed('dockerfile_missing', `There is no file ${settings.dockerfilePath}.`);
  }

  for (const stack of STACKS) {
    const recipe = stack.recipe(facts, settings);
    if (recipe) {
      return {
        kind: 'generated',
        stack: stack.name,
        dockerfile: recipe.dockerfile,
        why: `There is no Dockerfile; ${recipe.because}.`,
      };
    }
  }
  throw new DeploymentFailed(
    'stack_not_recognised',
    `There is no Dockerfile, nor ${STACKS.map(({ looksFor }) => looksFor).join(', nor ')}.`,
  );
}
