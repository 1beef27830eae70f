import { posix } from 'node:path';
import { type PathPattern, parsePathPattern } from '../patterns/path-pattern.ts';
import { isRepoPath } from './repo-path.ts';

export const MAX_WATCH_PATHS = 20;

/**
 * May this text be a watch path? A pattern as in a `.dockerignore`, relative to the repository: `apps/web` (with all
 * that lies in it), `apps/web/*.ts`, `**.sql`; with `!` before it, what it covers is not watched.
 */
export function isWatchPath(text: string): boolean {
  const pattern = text.replace(/^!/, '');
  return isRepoPath(pattern) && parse(pattern) !== null;
}

/**
 * Whether one of these paths is watched. The last pattern that covers a path decides, so `!` takes away from what stands
 * before it; a list that begins with `!` means everything but that. No pattern at all: every path counts.
 */
export function touchesWatched(watchPaths: readonly string[], paths: Iterable<string>): boolean {
  const rules = watchPaths.flatMap(ruleOf);
  const [first] = rules;
  if (first === undefined) return true;
  for (const path of paths) {
    const last = rules.findLast(({ pattern }) => pattern.covers(path));
    if (last ? last.watches : !first.watches) return true;
  }
  return false;
}

interface Rule {
  readonly pattern: PathPattern;
  readonly watches: boolean;
}

function ruleOf(text: string): Rule[] {
  const pattern = parse(text.replace(/^!/, ''));
  return pattern ? [{ pattern, watches: !text.startsWith('!') }] : [];
}

/** `.` is the whole repository. */
function parse(text: string): PathPattern | null {
  const cleaned = posix.normalize(text).replace(/\/$/, '');
  return parsePathPattern(cleaned === '.' ? '**' : cleaned);
}
