import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceCredential } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Source } from './accept-request.ts';
import type { Attempt } from './attempt.ts';
import { countEntries } from './count-entries.ts';
import { writeCredentialFiles } from './credential-files.ts';
import { type FetchedCommit, fetchCommit } from './fetch-commit.ts';
import { GitFailed, prepareGit, type RunGit } from './git-command.ts';
import { isRedirect } from './git-failure.ts';
import { ANY_SIZE, measureFolder } from './measure-folder.ts';
import { type ObjectStore, openStore } from './object-store.ts';
import { checkAddresses, pinFor } from './pin-address.ts';
import { readableSize } from './readable-size.ts';
import { untilAborted } from './until-aborted.ts';

/** One repository, and the folder its files go to. */
export interface RepositoryToClone {
  readonly source: Source;
  readonly credential: SourceCredential;
  /** There already, and empty. */
  readonly workTree: string;
  readonly store: ObjectStore;
}

/** The files are there, and so is `.git` still. */
export interface ClonedRepository extends RepositoryToClone {
  readonly git: RunGit;
  readonly commit: FetchedCommit;
  /** ssh's settings, where it is asked by ssh. */
  readonly sshConfig: string | null;
}

/** What is to be done while `.git` is still there. */
export type AfterCheckout = (cloned: ClonedRepository) => Promise<void>;

/** Brings the commit that is asked for into the work tree, without `.git`. @throws DeploymentFailed, GitFailed */
export async function cloneRepository(
  attempt: Attempt,
  repository: RepositoryToClone,
  afterCheckout: AfterCheckout,
): Promise<FetchedCommit> {
  const { source, workTree, store } = repository;
  const { limits, onLine } = attempt;
  const { git, sshConfig } = await prepare(attempt, repository);
  await openStore(git, workTree, store);
  const objects = join(store.directory, 'objects');
  const before = await measureFolder(objects, ANY_SIZE);
  const commit = await fetchFollowingDotGit(git, source, attempt);
  const { bytes } = await measureFolder(objects, ANY_SIZE);
  onLine({
    text: bytes > before.bytes ? `Received ${readableSize(bytes - before.bytes)}` : 'Nothing new to receive',
  });
  await limits.check({ entries: await countEntries(git, commit.commitSha, limits) });
  await git(['checkout', '--no-progress', '--force', '--detach', commit.commitSha]);
  await limits.check();
  await afterCheckout({ ...repository, git, commit, sshConfig });
  await rm(join(workTree, '.git'), { recursive: true, force: true });
  limits.signal.throwIfAborted();
  return commit;
}

async function prepare(
  attempt: Attempt,
  { source, credential, workTree }: RepositoryToClone,
): Promise<{ git: RunGit; sshConfig: string | null }> {
  const { limits, resolveHost, caFile, lowSpeedSeconds, knownHosts } = attempt;
  const addresses = await untilAborted(checkAddresses(source, resolveHost), limits.signal);
  const files =
    credential.kind === 'none'
      ? null
      : await writeCredentialFiles(credential, {
          folder: await attempt.newCredentialFolder(),
          workTree,
          knownHosts,
          source,
          address: addresses?.[0] ?? null,
        });
  const git = prepareGit({
    directory: workTree,
    protocol: source.protocol,
    configFile: files?.gitConfig ?? null,
    pin: addresses && source.protocol !== 'ssh' ? pinFor(source, addresses) : null,
    caFile,
    lowSpeedSeconds,
    signal: limits.signal,
    onFlood: () =>
      limits.fail(new DeploymentFailed('clone_too_large', 'The Git host sends messages without end.')),
  });
  return { git, sshConfig: files?.sshConfig ?? null };
}

/** GitLab redirects `…/name` to `…/name.git`: tried by ourselves on the same host, as no redirect is followed. */
async function fetchFollowingDotGit(
  git: RunGit,
  source: Source,
  { onLine }: Pick<Attempt, 'onLine'>,
): Promise<FetchedCommit> {
  try {
    return await fetchCommit({ git, source, onLine });
  } catch (error) {
    const canRetry = error instanceof GitFailed && isRedirect(error.output) && !source.url.endsWith('.git');
    if (!canRetry) throw error;
    return await fetchCommit({ git, source: { ...source, url: `${source.url}.git` }, onLine });
  }
}
