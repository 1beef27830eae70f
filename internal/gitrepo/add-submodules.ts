import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceCredential } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { acceptRequest } from './accept-request.ts';
import type { Attempt } from './attempt.ts';
import {
  type AfterCheckout,
  type ClonedRepository,
  cloneRepository,
  type RepositoryToClone,
} from './clone-repository.ts';
import { GitFailed, type RunGit } from './git-command.ts';
import { explainGitFailure, mayBeDamage } from './git-failure.ts';
import type { ObjectStore } from './object-store.ts';
import { plainText } from './plain-text.ts';
import { parseGitlinks, parseSubmodules, resolveSubmoduleUrl, type Submodule } from './submodule-list.ts';

export interface SubmoduleNeeds {
  /** Of the app's own repository. */
  readonly appUrl: string;
  readonly credentialFor: (repoUrl: string) => Promise<SourceCredential>;
  /** Where their stores are kept; null: each has its own, for this clone. */
  readonly storesIn: string | null;
  /** What is done in each after its checkout. */
  readonly afterCheckout: AfterCheckout;
}

const MAX_SUBMODULES = 100;
const MAX_DEPTH = 5;
const MAX_LIST_BYTES = 256 * 1024;

interface Level {
  readonly depth: number;
  readonly count: { left: number };
}

/**
 * Clones the submodules of a repository into their folders, and theirs. Each is asked as the app's own repository is: its
 * URL passes the same rules, and its host is shown what the same rule chooses for that URL, and nothing else.
 */
export async function addSubmodules(
  attempt: Attempt,
  parent: ClonedRepository,
  needs: SubmoduleNeeds,
  level: Level = { depth: 1, count: { left: MAX_SUBMODULES } },
): Promise<void> {
  const submodules = await listSubmodules(parent.git, parent.commit.commitSha);
  level.count.left -= submodules.size;
  if (level.count.left < 0) throw tooMany(`The repository has more than ${MAX_SUBMODULES} submodules.`);
  if (submodules.size > 0 && level.depth > MAX_DEPTH) {
    throw tooMany(`Submodules stand in each other, more than ${MAX_DEPTH} deep.`);
  }
  for (const [submodule, commitSha] of submodules) {
    try {
      await addSubmodule(attempt, parent, { submodule, commitSha, needs, level });
    } catch (error) {
      attempt.limits.signal.throwIfAborted();
      throw ofSubmodule(submodule, error);
    }
  }
}

interface Addition {
  readonly submodule: Submodule;
  readonly commitSha: string;
  readonly needs: SubmoduleNeeds;
  readonly level: Level;
}

async function addSubmodule(
  attempt: Attempt,
  parent: ClonedRepository,
  { submodule, commitSha, needs, level }: Addition,
): Promise<void> {
  const repoUrl = resolveSubmoduleUrl(parent.source.webUrl, submodule.url);
  if (repoUrl === null) throw new DeploymentFailed('clone_forbidden', 'Its URL leads above the host.');
  const workTree = join(parent.workTree, submodule.path);
  if ((await realpath(workTree)) !== workTree) {
    throw new DeploymentFailed('clone_forbidden', 'Its folder is not one of the repository.');
  }
  // Refused before anybody is asked for a credential.
  const request = { repoUrl, branch: null, commitSha, credential: NO_CREDENTIAL };
  acceptRequest(request, attempt.policy);
  const credential = forHost(await needs.credentialFor(repoUrl), needs.appUrl, repoUrl);
  attempt.onLine({ text: `Submodule ${plainText(submodule.path, 200)}` });
  const afterCheckout: AfterCheckout = async (cloned) => {
    await needs.afterCheckout(cloned);
    await addSubmodules(attempt, cloned, needs, { ...level, depth: level.depth + 1 });
  };
  const repository = async (by: SourceCredential): Promise<RepositoryToClone> => ({
    source: acceptRequest({ ...request, credential: by }, attempt.policy),
    credential: by,
    workTree,
    store: await storeOf(repoUrl, workTree, needs.storesIn),
  });
  try {
    await cloneRepository(attempt, await repository(credential), afterCheckout);
  } catch (error) {
    if (credential.kind !== 'ssh_key' || !isRefusal(error)) throw explain(error, credential, repoUrl);
    // A deploy key is for one repository; another one of that host may be open to everybody.
    const open = await repository(NO_CREDENTIAL);
    await cloneRepository(attempt, open, afterCheckout).catch((second: unknown) => {
      throw explain(second, credential, repoUrl);
    });
  }
}

const NO_CREDENTIAL: SourceCredential = { kind: 'none', why: 'other_host' };

/** A deploy key of the app is shown to the host of its own repository, and to no other. */
function forHost(credential: SourceCredential, appUrl: string, repoUrl: string): SourceCredential {
  const isSameHost = new URL(appUrl).host === new URL(repoUrl).host;
  return credential.kind === 'ssh_key' && !isSameHost ? NO_CREDENTIAL : credential;
}

async function storeOf(repoUrl: string, workTree: string, storesIn: string | null): Promise<ObjectStore> {
  if (storesIn === null) return { directory: join(workTree, '.git'), isNew: true };
  const name = createHash('sha256').update(repoUrl).digest('hex').slice(0, 32);
  const directory = join(storesIn, name);
  const isThere = await stat(directory).then(
    () => true,
    () => false,
  );
  return { directory, isNew: !isThere };
}

/** Those of that commit, each with the commit that it pins. */
async function listSubmodules(git: RunGit, commitSha: string): Promise<Map<Submodule, string>> {
  const [, blob] = /^100(?:644|755) blob ([0-9a-f]{40})\t/.exec(
    await git(['ls-tree', commitSha, '--', '.gitmodules']),
  ) ?? [null, null];
  if (!blob) return new Map();
  if (Number(await git(['cat-file', '-s', blob])) > MAX_LIST_BYTES)
    throw tooMany('.gitmodules is too large.');
  const all = parseSubmodules(await readList(git, blob));
  const links = new Map<string, string>();
  for (let at = 0; at < all.length; at += MAX_SUBMODULES) {
    const paths = all.slice(at, at + MAX_SUBMODULES).map(({ path }) => path);
    const output = await git(['ls-tree', '-z', commitSha, '--', ...paths]);
    for (const [path, id] of parseGitlinks(output)) links.set(path, id);
  }
  return new Map(
    all.flatMap((submodule) => {
      const id = links.get(submodule.path);
      return id === undefined ? [] : [[submodule, id] as const];
    }),
  );
}

async function readList(git: RunGit, blob: string): Promise<string> {
  try {
    return await git(['config', '--null', '--blob', blob, '--list']);
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    throw new DeploymentFailed('clone_failed', '.gitmodules cannot be read.', { cause: error });
  }
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof GitFailed) || mayBeDamage(error.output)) return false;
  const asked = { host: '', credential: NO_CREDENTIAL };
  return ['clone_unauthorized', 'clone_failed'].includes(explainGitFailure(error.output, asked, error).code);
}

/** What may be damage of what lies here stays as it is, for the mirror to be made anew. */
function explain(error: unknown, credential: SourceCredential, repoUrl: string): unknown {
  if (!(error instanceof GitFailed) || mayBeDamage(error.output)) return error;
  return explainGitFailure(error.output, { host: new URL(repoUrl).host, credential }, error);
}

function ofSubmodule({ path }: Submodule, error: unknown): unknown {
  if (!(error instanceof DeploymentFailed)) return error;
  return new DeploymentFailed(error.code, `Submodule ${plainText(path, 200)}: ${error.message}`, {
    evidence: error.evidence,
    cause: error,
  });
}

function tooMany(reason: string): DeploymentFailed {
  return new DeploymentFailed('clone_too_large', reason);
}
