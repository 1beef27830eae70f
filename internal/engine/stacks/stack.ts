import type { BuildSettings, RepositoryFacts } from '../plan-build.ts';

/** How one kind of repository without a Dockerfile is recognised and built. */
export interface Stack {
  readonly name: 'node';
  /** Ends the sentence "There is no Dockerfile, nor …". */
  readonly looksFor: string;
  /** The recipe, or null when the repository is not of this kind. @throws DeploymentFailed when it is, but is broken */
  recipe(facts: RepositoryFacts, settings: BuildSettings): Recipe | null;
}

export interface Recipe {
  readonly dockerfile: string;
  /** Ends the sentence "There is no Dockerfile; …". */
  readonly because: string;
}

/**
 * A command as the exec form that Docker reads as JSON: nothing in it can end the instruction or begin another.
 * Plain words run without a shell, so that the process itself gets the signals.
 */
export function execForm(command: string): string {
  const words = command.trim().split(/ +/);
  const plain = words.every((word) => /^[\w./:@%+,-]+$/.test(word));
  return JSON.stringify(plain ? words : ['sh', '-c', command]);
}
