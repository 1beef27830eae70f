import type { Push } from './push.ts';

/** Where a push moved its branch: one that has come already, or the one that comes now. */
export interface Move {
  readonly before: string;
  readonly after: string;
  /** The commits it brought. */
  readonly commits: ReadonlySet<string>;
}

/** A push of the same branch that has come already. */
export interface KnownPush extends Move {
  /** The deployment it asked for; null: it was ignored. */
  readonly deploymentId: string | null;
}

export function moveOf({ before, after, commits }: Push): Move {
  return { before, after, commits: new Set(commits.map(({ id }) => id)) };
}

/**
 * GitHub promises no order of deliveries. The deployed push that has come already and yet stands on top of this one;
 * null: as far as is known this push is the newest.
 *
 * A push stands on the one whose `after` is its `before`, or whose head is among its commits, and on what that one
 * stands on. When a branch is forced back, each of two may stand on the other: then what comes last is the newest.
 * @param known in the order they came
 */
export function newerPush(
  push: Pick<Move, 'before' | 'after'>,
  known: readonly KnownPush[],
): KnownPush | null {
  const above = standingOn(push.after, known);
  const isBelow = (other: KnownPush) =>
    other.after === push.before || standingOn(other.after, known).some(({ after }) => after === push.before);
  const newer = known.findLast(
    (other) => other.deploymentId !== null && above.includes(other) && !isBelow(other),
  );
  return newer ?? null;
}

/** Whether the push stands on that commit, by way of these, and not the commit on the push as well. */
export function isOlder(commit: string, push: Move, pushes: readonly Move[]): boolean {
  if (commit === push.after || !standingOn(commit, pushes).includes(push)) return false;
  return standingOn(push.after, pushes).every(({ after }) => after !== commit);
}

function standingOn<M extends Move>(commit: string, pushes: readonly M[]): M[] {
  const found: M[] = [];
  const open = [commit];
  for (let base = open.pop(); base !== undefined; base = open.pop()) {
    for (const push of pushes) {
      if (found.includes(push) || !standsDirectlyOn(base, push)) continue;
      found.push(push);
      open.push(push.after);
    }
  }
  return found;
}

/** A push's own head is among its commits, and no push stands on itself. */
function standsDirectlyOn(commit: string, { before, after, commits }: Move): boolean {
  return after !== commit && (before === commit || commits.has(commit));
}
