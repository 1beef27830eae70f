import type { Push } from './push.ts';

/** A push of the same branch that has come already. */
export interface KnownPush {
  readonly before: string;
  readonly after: string;
  /** The commits it brought. */
  readonly commits: ReadonlySet<string>;
  /** The deployment it asked for; null: it was ignored. */
  readonly deploymentId: string | null;
}

/**
 * GitHub promises no order of deliveries. The deployment of a push that has come already and yet stands on top of this
 * one; null: as far as is known this push is the newest.
 *
 * A push stands on the one whose `after` is its `before`, or whose head is among its commits, and on what that one
 * stands on. When a branch is forced back, each of two may stand on the other: then what comes last is the newest.
 * @param known in the order they came
 */
export function newerDeployment(
  push: Pick<Push, 'before' | 'after'>,
  known: readonly KnownPush[],
): string | null {
  const above = standingOn(push.after, known);
  const isBelow = (other: KnownPush) =>
    other.after === push.before || standingOn(other.after, known).some(({ after }) => after === push.before);
  const newer = known.findLast(
    (other) => other.deploymentId !== null && above.includes(other) && !isBelow(other),
  );
  return newer?.deploymentId ?? null;
}

function standingOn(commit: string, pushes: readonly KnownPush[]): KnownPush[] {
  const found: KnownPush[] = [];
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
function standsDirectlyOn(commit: string, { before, after, commits }: KnownPush): boolean {
  return after !== commit && (before === commit || commits.has(commit));
}
