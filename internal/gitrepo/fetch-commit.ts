import { createHash } from 'node:crypto';
import type { LineSink } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Source } from './accept-request.ts';
import { GitFailed, type RunGit } from './git-command.ts';
import { isMissingRef, refusesCommits } from './git-failure.ts';
import { chooseDefaultBranch, parseRemoteRefs, type RemoteRefs } from './remote-refs.ts';

export interface FetchedCommit {
  readonly branch: string;
  readonly commitSha: string;
  /** As its author wrote it: not safe to print. */
  readonly message: string;
}

interface PinnedCommit {
  readonly branch: string;
  readonly commitSha: string;
}

/** How far to look back in a branch on servers that do not give single commits; then the whole history. */
const DEPTHS = [50, 1000];
// Without `--quiet`: simple-git waits 50 ms more for the output of a command that wrote none.
const FETCH = ['fetch', '--no-progress', '--no-tags', '--no-recurse-submodules'];

interface Fetch {
  readonly git: RunGit;
  readonly source: Source;
  readonly onLine: LineSink;
}

/**
 * Brings exactly one commit into the repository in git's folder and tells which: the one that is asked for, else the
 * head of the branch at that moment. A branch that moves meanwhile changes nothing.
 * @throws DeploymentFailed branch_not_found, commit_not_found, repository_empty
 * @throws GitFailed whatever else git says
 */
export async function fetchCommit(fetch: Fetch): Promise<FetchedCommit> {
  const { branch, commitSha } = fetch.source;
  if (branch === null) {
    const head = await findDefaultHead(fetch);
    return await fetchPinned(fetch, { branch: head.branch, commitSha: commitSha ?? head.commitSha });
  }
  if (commitSha === null) return await fetchHead(fetch, branch);
  return await fetchPinned(fetch, { branch, commitSha });
}

async function fetchHead({ git, source, onLine }: Fetch, branch: string): Promise<FetchedCommit> {
  onLine({ text: `Fetching branch ${branch} from ${source.host}` });
  try {
    await git([...FETCH, '--depth=1', '--', source.url, kept(`refs/heads/${branch}`, branch)]);
  } catch (error) {
    if (!(error instanceof GitFailed && isMissingRef(error.output))) throw error;
    throw await explainMissingBranch(git, source);
  }
  return { branch, ...(await readCommit(git, 'FETCH_HEAD')) };
}

async function fetchPinned({ git, source, onLine }: Fetch, commit: PinnedCommit): Promise<FetchedCommit> {
  onLine({ text: `Fetching ${commit.commitSha.slice(0, 7)} of branch ${commit.branch} from ${source.host}` });
  try {
    await git([...FETCH, '--depth=1', '--', source.url, kept(commit.commitSha, commit.branch)]);
  } catch (error) {
    if (!(error instanceof GitFailed && refusesCommits(error.output))) throw error;
    await fetchThroughBranch(git, source.url, commit);
  }
  const read = await readCommit(git, commit.commitSha);
  // Git peels a tag to its commit, which is not the one that was named.
  if (read.commitSha !== commit.commitSha) throw notInBranch(commit);
  return { branch: commit.branch, ...read };
}

async function readCommit(git: RunGit, revision: string): Promise<{ commitSha: string; message: string }> {
  // `^{commit}`: a tag or a tree has an id too, and neither can be deployed.
  const commit = `${revision}^{commit}`;
  // Not by `git show`: even without a patch it compares a first commit with nothing, file by file.
  const text = await git(['log', '--max-count=1', '--no-show-signature', '--format=%H%n%B', commit, '--']);
  return { commitSha: text.slice(0, 40), message: text.slice(41) };
}

async function findDefaultHead({ git, source }: Fetch): Promise<PinnedCommit> {
  const refs = await listRefs(git, source.url, ['HEAD', 'refs/heads/main']);
  const branch = chooseDefaultBranch(refs);
  const commitSha = branch === null ? undefined : refs.branches.get(branch);
  if (branch === null || commitSha === undefined) throw await explainMissingBranch(git, source);
  return { branch, commitSha };
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
  const ref = kept(`refs/heads/${commit.branch}`, commit.branch);
  for (const depth of DEPTHS) {
    await git([...FETCH, `--depth=${depth}`, '--', url, ref]);
    if (await isFetched(git, commit.commitSha)) return;
    const isWhole = (await git(['rev-parse', '--is-shallow-repository'])).trim() === 'false';
    if (isWhole) throw notInBranch(commit);
  }
  await git([...FETCH, '--unshallow', '--', url, ref]);
  if (!(await isFetched(git, commit.commitSha))) throw notInBranch(commit);
}

/** `what:where`: by its name here Git finds, the next time, what it need not fetch again. */
function kept(what: string, branch: string): string {
  // Not the branch's own name: `a` and `a/b` may follow each other.
  return `+${what}:refs/mirror/${createHash('sha256').update(branch).digest('hex').slice(0, 32)}`;
}

/** In what the branch has now: that it is here says nothing, for a mirror knows commits of before, too. */
async function isFetched(git: RunGit, commitSha: string): Promise<boolean> {
  try {
    return (await git(['merge-base', commitSha, 'FETCH_HEAD'])).trim() === commitSha;
  } catch (error) {
    if (error instanceof GitFailed) return false;
    throw error;
  }
}

function notInBranch(commit: PinnedCommit): DeploymentFailed {
  return new DeploymentFailed('commit_not_found', `The commit is not in branch ${commit.branch}.`);
}
