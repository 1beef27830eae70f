import type { Framework } from '../../apps/framework.ts';
import type { BuildSettings, RepositoryFacts } from '../plan-build.ts';

/** A family of frameworks: recognised by the same files, built in the same way. */
export interface Stack {
  readonly frameworks: readonly Framework[];
  /** Ends the sentence "There is no Dockerfile, nor …". */
  readonly looksFor: string;
  /**
   * The recipe, or null when the repository is not of this kind. `settings.framework` set to one of its frameworks asks
   * for that one. @throws DeploymentFailed when it is of this kind, but broken
   */
  recipe(facts: RepositoryFacts, settings: BuildSettings): Recipe | null;
}

export interface Recipe {
  readonly framework: Framework;
  readonly dockerfile: string;
  /** Ends the sentence "There is no Dockerfile; …". */
  readonly because: string;
  /** In words for a person; null: there is none. */
  readonly buildCommand: string | null;
  readonly startCommand: string;
  /** Where it will listen if the app says nothing else; null: at $PORT. */
  readonly port: number | null;
  /** `repository`: the build sees the whole repository, not only the root directory. */
  readonly context: 'root_directory' | 'repository';
}

/** A command: words that run as they are, or text for a shell. */
export type Command = readonly string[] | string;

/**
 * A command as the exec form that Docker reads as JSON: nothing in it can end the instruction or begin another.
 * Plain words run without a shell, so that the process itself gets the signals.
 */
export function execForm(command: Command): string {
  if (typeof command !== 'string') return JSON.stringify(command);
  const words = command.trim().split(/ +/);
  const plain = words.every((word) => /^[\w./:@%+,-]+$/.test(word));
  return JSON.stringify(plain ? words : ['sh', '-c', command]);
}

/** As a person would type it. */
export function commandText(command: Command): string {
  return typeof command === 'string' ? command : command.join(' ');
}

/**
 * What the build may see of the app's variables, declared before anything is installed: a token for packages is one of
 * them. Never as ENV, which would stand in the image for everyone who runs it.
 */
export function buildVariables(settings: Pick<BuildSettings, 'buildVariables'>): string[] {
  return settings.buildVariables.map((name) => `ARG ${name}`);
}

/** Docker reads lines; every recipe ends with a line end. */
export function dockerfileOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
