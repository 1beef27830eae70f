import { posix } from 'node:path';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { type PathPattern, parsePathPattern } from '../patterns/path-pattern.ts';

/** The rules of a `.dockerignore`, as `docker build` reads them. */
export interface DockerIgnore {
  /** Whether the path, relative to the context, is left out. */
  excludes(path: string): boolean;
  /** A folder that is excluded need not be entered: no line brings anything back. */
  readonly mayPrune: boolean;
}

interface Rule {
  readonly pattern: PathPattern;
  readonly brings: boolean;
}

/**
 * The last line that matches a path, or a folder above it, decides. As with BuildKit, `!` also brings back what lies in
 * an excluded folder (the older builder's client did not enter such a folder for `!` with a wildcard in front).
 * @throws DeploymentFailed context_invalid for a pattern that Docker refuses too
 */
export function parseDockerIgnore(text: string): DockerIgnore {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap(parseRule);
  return {
    mayPrune: rules.every(({ brings }) => !brings),
    excludes(path) {
      const last = rules.findLast(({ pattern }) => pattern.covers(path));
      return last !== undefined && !last.brings;
    },
  };
}

function parseRule(line: string): Rule[] {
  if (line.startsWith('#')) return [];
  const trimmed = line.trim();
  const brings = trimmed.startsWith('!');
  const text = brings ? trimmed.slice(1).trim() : trimmed;
  if (text === '') return [];
  const cleaned = posix.normalize(text).replace(/^\/+/, '').replace(/\/$/, '');
  const pattern = parsePathPattern(cleaned);
  if (!pattern) {
    throw new DeploymentFailed(
      'context_invalid',
      `The .dockerignore has a pattern that cannot be read: ${text}`,
    );
  }
  return [{ pattern, brings }];
}
