import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  Checkout,
  CheckoutRequest,
  LineSink,
  SourceCheckout,
  SourceCredential,
} from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Logger } from '../logger/logger.ts';
import { acceptRequest, type Source } from './accept-request.ts';
import { AttemptFolders } from './attempt-folders.ts';
import { type AttemptLimits, startLimits } from './attempt-limits.ts';
import { writeCredentialFiles } from './credential-files.ts';
import { errorCode } from './error-code.ts';
import { type FetchedCommit, fetchCommit } from './fetch-commit.ts';
import { GitFailed, prepareGit, type RunGit } from './git-command.ts';
import { CLONE_DISK_FULL, explainGitFailure, isRedirect } from './git-failure.ts';
import { checkAddresses, pinFor, type ResolveHost, resolveBySystem } from './pin-address.ts';
import { plainText } from './plain-text.ts';
import { untilAborted } from './until-aborted.ts';

export interface GitCheckoutOptions {
  /** Holds one folder per attempt. */
  readonly workDir: string;
  /** Host names; `*` stands for any public host. */
  readonly allowedHosts: readonly string[];
  /** `host:port` of servers that may be private and plain HTTP. */
  readonly privateHosts: readonly string[];
  /** For one whole checkout. */
  readonly timeoutSeconds: number;
  /** Of 1024 × 1024 bytes, counted over repository and work tree together. */
  readonly maxMegabytes: number;
  readonly maxEntries?: number;
  /** CA bundle for Git servers with certificates of a private authority; default: the system's. */
  readonly caFile?: string;
  /** Where hosts take deploy keys. Default 22. */
  readonly sshPort?: number;
  /** Default: the system's resolver. */
  readonly resolveHost?: ResolveHost;
  readonly logger: Logger;
}

interface Attempt {
  readonly request: CheckoutRequest;
  readonly directory: string;
  readonly source: Source;
  readonly limits: AttemptLimits;
  readonly onLine: LineSink;
}

const MAX_MESSAGE_LENGTH = 4000;

/**
 * Brings one commit of a Git repository into a folder of its own. Git gets checked values only, reads nobody's
 * configuration, logs in with what came with the request only, follows no redirect, speaks to checked addresses, runs no hook, no submodule and no LFS filter.
 */
export class GitCheckout implements SourceCheckout {
  readonly #options: GitCheckoutOptions;
  readonly #folders: AttemptFolders;

  constructor(options: GitCheckoutOptions) {
    this.#options = options;
    this.#folders = new AttemptFolders(options.workDir);
  }

  async checkout(
    request: CheckoutRequest,
    { onLine, signal }: { onLine: LineSink; signal: AbortSignal },
  ): Promise<Checkout> {
    signal.throwIfAborted();
    const source = acceptRequest(request, { ...this.#options, sshPort: this.#options.sshPort ?? 22 });
    const { deploymentId, attempt } = request;
    const directory = await this.#createFolder(request);
    const limits = startLimits({
      directory,
      timeoutSeconds: this.#options.timeoutSeconds,
      maxMegabytes: this.#options.maxMegabytes,
      maxEntries: this.#options.maxEntries ?? 200_000,
      signal,
    });
    // What hangs in a system call or a network wait ends now, not when it notices.
    const endNow = () => {
      // If this fails, so does the removal that follows, and that is logged.
      this.#folders.endProcesses(deploymentId, attempt).catch(() => undefined);
    };
    limits.signal.addEventListener('abort', endNow);
    try {
      return await this.#checkOut({ request, directory, source, limits, onLine });
    } catch (error) {
      await this.#removeAfterFailure(deploymentId, attempt);
      throw limits.signal.aborted ? limits.signal.reason : explain(error, source, request.credential);
    } finally {
      limits.signal.removeEventListener('abort', endNow);
      limits.stop();
      await this.#folders.removeCredential(deploymentId, attempt);
    }
  }

  async remove(deploymentId: string, attempt?: number): Promise<void> {
    await this.#folders.remove(deploymentId, attempt);
  }

  async listDeployments(): Promise<string[]> {
    return await this.#folders.listDeployments();
  }

  async #createFolder({ deploymentId, attempt }: CheckoutRequest): Promise<string> {
    try {
      return await this.#folders.create(deploymentId, attempt);
    } catch (error) {
      throw explainFullDisk(error);
    }
  }

  async #checkOut(attempt: Attempt): Promise<Checkout> {
    const { directory, source, limits, onLine } = attempt;
    const git = await this.#prepareGit(attempt);
    await git(['init', '--template=']);
    const { branch, commitSha, message } = await fetchFollowingDotGit(git, source, onLine);
    await git(['checkout', '--no-progress', '--force', '--detach', commitSha]);
    await limits.check();
    await rm(join(directory, '.git'), { recursive: true, force: true });
    limits.signal.throwIfAborted();

    const commitMessage = plainText(message, MAX_MESSAGE_LENGTH);
    onLine({ text: `Checked out ${commitSha.slice(0, 7)}: ${commitMessage.split('\n')[0] ?? ''}` });
    return { directory, commitSha, commitMessage, branch };
  }

  async #prepareGit(attempt: Attempt): Promise<RunGit> {
    const { directory, source, limits } = attempt;
    const resolveHost = this.#options.resolveHost ?? resolveBySystem;
    const addresses = await untilAborted(checkAddresses(source, resolveHost), limits.signal);
    return prepareGit({
      directory,
      protocol: source.protocol,
      configFile: await this.#writeCredential(attempt, addresses?.[0] ?? null),
      pin: addresses && source.protocol !== 'ssh' ? pinFor(source, addresses) : null,
      caFile: this.#options.caFile ?? null,
      lowSpeedSeconds: Math.min(60, this.#options.timeoutSeconds),
      signal: limits.signal,
      onFlood: () =>
        limits.fail(new DeploymentFailed('clone_too_large', 'The Git host sends messages without end.')),
    });
  }

  async #writeCredential({ request, source }: Attempt, address: string | null): Promise<string | null> {
    if (request.credential.kind === 'none') return null;
    const folder = await this.#folders.createForCredential(request.deploymentId, request.attempt);
    const knownHosts = join(await realpath(this.#options.workDir), '.known_hosts');
    return writeCredentialFiles(request.credential, { folder, knownHosts, source, address });
  }

  async #removeAfterFailure(deploymentId: string, attempt: number): Promise<void> {
    try {
      await this.#folders.remove(deploymentId, attempt);
    } catch (error) {
      // The first error is the one to tell; the reconciler comes by this folder again.
      this.#options.logger.error({ err: error, deploymentId, attempt }, 'clone folder not removed');
    }
  }
}

/** GitLab redirects `…/name` to `…/name.git`: tried by ourselves on the same host, as no redirect is followed. */
async function fetchFollowingDotGit(git: RunGit, source: Source, onLine: LineSink): Promise<FetchedCommit> {
  try {
    return await fetchCommit({ git, source, onLine });
  } catch (error) {
    const canRetry = error instanceof GitFailed && isRedirect(error.output) && !source.url.endsWith('.git');
    if (!canRetry) throw error;
    return await fetchCommit({ git, source: { ...source, url: `${source.url}.git` }, onLine });
  }
}

function explain(error: unknown, { host }: Source, credential: SourceCredential): unknown {
  if (error instanceof GitFailed) return explainGitFailure(error.output, { host, credential }, error);
  return explainFullDisk(error);
}

function explainFullDisk(error: unknown): unknown {
  const isFull = errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT';
  return isFull ? new DeploymentFailed('clone_disk_full', CLONE_DISK_FULL, { cause: error }) : error;
}
