import { touchesWatched } from '../apps/watch-path.ts';
import type { App } from '../db/database.ts';
import { whichRepository } from '../github/which-repository.ts';
import type { Push } from './push.ts';

/** What of an app decides whether a push deploys it. */
export type FollowingApp = Pick<
  App,
  | 'repoUrl'
  | 'branch'
  | 'autoDeploy'
  | 'autoDeployHeldSince'
  | 'watchPaths'
  | 'desiredState'
  | 'deletingSince'
>;

export type Ignored =
  | 'the app is being deleted'
  | 'other repository'
  | 'tag'
  | 'not a branch'
  | 'other branch'
  | 'branch deleted'
  | 'the app is stopped'
  | 'auto-deploy is off'
  | 'auto-deploy is held since a rollback'
  | 'skip requested'
  | 'no watched path changed';

export type Verdict =
  | { readonly deploy: true; readonly branch: string; readonly commitSha: string }
  | { readonly deploy: false; readonly reason: Ignored };

/** Those of pushes to the branch itself. */
const OF_THE_BRANCH: readonly Ignored[] = ['skip requested', 'no watched path changed'];

const BRANCH = /^refs\/heads\/(.+)$/;
const NO_COMMIT = '0'.repeat(40);
/**
 * Only these. `[skip ci]` asks for no tests, not for no release: tools that raise a version write it into the very commit
 * that is to be deployed.
 */
const SKIP = /\[(?:skip deploy|deploy skip)\]/i;
/** From here on GitHub may have left commits out (GitHub Enterprise Server lists so many at most), */
const FEWEST_COMMITS_CUT = 20;
/** or paths of a commit. */
const FEWEST_PATHS_CUT = 3_000;

/** Whether this push deploys this app, and if not, why: from what rules out most to what rules out least. */
export function readPush(push: Push, app: FollowingApp, githubUrl: string): Verdict {
  const ignored = (reason: Ignored): Verdict => ({ deploy: false, reason });

  if (app.deletingSince) return ignored('the app is being deleted');
  if (whichRepository(app.repoUrl, githubUrl)?.fullName !== push.repository.full_name.toLowerCase()) {
    return ignored('other repository');
  }
  if (push.ref.startsWith('refs/tags/')) return ignored('tag');
  const branch = branchOf(push);
  if (branch === null) return ignored('not a branch');
  if (branch !== (app.branch ?? push.repository.default_branch)) return ignored('other branch');
  if (push.deleted || push.after === NO_COMMIT) return ignored('branch deleted');
  if (app.desiredState === 'stopped') return ignored('the app is stopped');
  if (!app.autoDeploy) return ignored('auto-deploy is off');
  if (app.autoDeployHeldSince) return ignored('auto-deploy is held since a rollback');
  if (SKIP.test(push.head_commit?.message ?? '')) return ignored('skip requested');
  if (!mayTouch(app.watchPaths, push)) return ignored('no watched path changed');
  return { deploy: true, branch, commitSha: push.after };
}

export function branchOf({ ref }: Pick<Push, 'ref'>): string | null {
  return BRANCH.exec(ref)?.[1] ?? null;
}

/** Whether the push belongs to the history that is deployed, so that it tells which of others came first. */
export function isOfBranch(verdict: Verdict): boolean {
  return verdict.deploy || OF_THE_BRANCH.includes(verdict.reason);
}

/** Where the payload does not tell all paths that changed, it may have touched any: a forced push, a new branch, a long one. */
function mayTouch(watchPaths: readonly string[], push: Push): boolean {
  const { commits } = push;
  const isPartial =
    push.forced || push.created || commits.length === 0 || commits.length >= FEWEST_COMMITS_CUT;
  if (watchPaths.length === 0 || isPartial) return true;
  const paths = new Set(
    commits.flatMap(({ added, removed, modified }) => [...added, ...removed, ...modified]),
  );
  return paths.size >= FEWEST_PATHS_CUT || touchesWatched(watchPaths, paths);
}
