import type { LineSink } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Source } from './accept-request.ts';
import { GitFailed, type RunGit } from './git-command.ts';
import { refusesCommits } from './git-failure.ts';
import { chooseDefaultBranch, parseRemoteRefs, type RemoteRefs } from './remote-refs.ts';

/** Which commit is built, decided before it is fetched: a branch that moves meanwhile changes nothing. */
export interface PinnedCommit {
  readonly branch: string;
  readonly commitSha: string;
}

/** How far to look back in a branch on servers that do not give single commits; then the whole history. */
const DEPTHS = [100, 2000];
const FETCH = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];

/**
 * Decides which commit is meant and brings exactly that one into the repository in git's folder.
 * @throws DeploymentFailed branch_not_found, commit_not_found, repository_empty
 * @throws GitFailed whatever else git says
 */
export async function fetchCommit(git: RunGit, source: Source, onLine: LineSink): Promise<PinnedCommit> {
  const commit = await pinCommit(git, source);
  onLine({ text: `Fetching ${commit.commitSha.slice(0, 7)} of branch ${commit.branch} from ${source.host}` });
  try {
    await git([...FETCH, '--depth=1', '--', source.url, commit.commitSha]);
  } catch (error) {
    if (!(error instanceof GitFailed && refusesCommits(error.output))) throw error;
    await fetchThroughBranch(git, source.url, commit);
  }
  return commit;
}

async function pinCommit(git: RunGit, source: Source): Promise<PinnedCommit> {
  const { branch, commitSha } = source;
  // Both are known: the remote need not be asked.
  if (branch !== null && commitSha !== null) return { branch, commitSha };

  const refs = await listRefs(git, source.url, ['HEAD', `refs/heads/${branch ?? 'main'}`]);
  const chosen = branch ?? chooseDefaultBranch(refs);
  const head = chosen === null ? undefined : refs.branches.get(chosen);
  if (chosen === null || head === undefined) throw await explainMissingBranch(git, source);
  return { branch: chosen, commitSha: commitSha ?? head };
}

async function explainMissingBranch(git: RunGit, source: Source): Promise<DeploymentFailed> {
  const { branches } = await listRefs(git, source.url, ['refs/heads/*']);
  if (branches.size === 0)
    return new DeploymentFailed('repository_empty', 'The repository has no commit yet.');
  return new DeploymentFailed(
    'branch_not_found',
    source.branch === null
      ? 'The repository has no branch named main and no default branch; set a branch on the app.'
      : `The repository has no branch named ${source.branch}.`,
  );
}

async function listRefs(git: RunGit, url: string, patterns: readonly string[]): Promise<RemoteRefs> {
  return parseRemoteRefs(await git(['ls-remote', '--quiet', '--symref', '--', url, ...patterns]));
}

async function fetchThroughBranch(git: RunGit, url: string, commit: PinnedCommit): Promise<void> {
  const ref = `refs/heads/${commit.branch}`;
  for (const depth of DEPTHS) {
    await git([...FETCH, `--depth=${depth}`, '--', url, ref]);
    if (await hasCommit(git, commit.commitSha)) return;
    const isWhole = (await git(['rev-parse', '--is-shallow-repository'])).trim() === 'false';
    if (isWhole) throw notInBranch(commit);
  }
  await git([...FETCH, '--unshallow', '--', url, ref]);
  if (!(await hasCommit(git, commit.commitSha))) throw notInBranch(commit);
}

async function hasCommit(git: RunGit, commitSha: string): Promise<boolean> {
  try {
    await git(['cat-file', '-e', `${commitSha}^{commit}`]);
    return true;
  } catch (error) {
    if (error instanceof GitFailed) return false;
    throw error;
  }
}

function notInBranch(commit: PinnedCommit): DeploymentFailed {
  return new DeploymentFailed('commit_not_found', `The commit is not in branch ${commit.branch}.`);
}
