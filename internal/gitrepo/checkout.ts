import { readdir, realpath, rm } from 'node:fs/promises';
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
import { addLfsFiles } from './add-lfs-files.ts';
import { addSubmodules } from './add-submodules.ts';
import type { Attempt } from './attempt.ts';
import { AttemptFolders } from './attempt-folders.ts';
import { startLimits } from './attempt-limits.ts';
import { type AfterCheckout, cloneRepository } from './clone-repository.ts';
import { errorCode } from './error-code.ts';
import { GitFailed } from './git-command.ts';
import { CLONE_DISK_FULL, explainGitFailure, mayBeDamage } from './git-failure.ts';
import { type Mirrors, SUBMODULES } from './mirrors.ts';
import type { ObjectStore } from './object-store.ts';
import { type ResolveHost, resolveBySystem } from './pin-address.ts';
import { plainText } from './plain-text.ts';
import { Turns } from './turns.ts';

export interface GitCheckoutOptions {
  /** Holds one folder per attempt. */
  readonly workDir: string;
  /** Keep what was fetched for the next clone. Null: every clone begins with nothing. */
  readonly mirrors: Mirrors | null;
  /** Host names; `*` stands for any public host. */
  readonly allowedHosts: readonly string[];
  /** `host:port` of servers that may be private and plain HTTP. */
  readonly privateHosts: readonly string[];
  /** For one whole checkout. */
  readonly timeoutSeconds: number;
  /** Of 1024 × 1024 bytes, counted over what is fetched and the work tree together. */
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

/** The app's own repository, and where it goes. */
interface Wanted {
  readonly request: CheckoutRequest;
  readonly source: Source;
  readonly directory: string;
}

const MAX_MESSAGE_LENGTH = 4000;
/** For another deployment that fetches the same repository; then this one fetches for itself. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Brings one commit of a Git repository into a folder of its own. Git gets checked values only, reads nobody's
 * configuration, logs in with what came with the request only, follows no redirect, speaks to checked addresses, and runs
 * no hook and no filter.
 */
export class GitCheckout implements SourceCheckout {
  readonly #options: GitCheckoutOptions;
  readonly #folders: AttemptFolders;
  readonly #turns = new Turns();

  constructor(options: GitCheckoutOptions) {
    this.#options = options;
    this.#folders = new AttemptFolders(options.workDir);
  }

  async checkout(
    request: CheckoutRequest,
    { onLine, signal }: { onLine: LineSink; signal: AbortSignal },
  ): Promise<Checkout> {
    signal.throwIfAborted();
    const policy = { ...this.#options, sshPort: this.#options.sshPort ?? 22 };
    const source = acceptRequest(request, policy);
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
      return await this.#checkOut(
        { request, source, directory },
        {
          policy,
          resolveHost: this.#options.resolveHost ?? resolveBySystem,
          caFile: this.#options.caFile ?? null,
          lowSpeedSeconds: Math.min(60, this.#options.timeoutSeconds),
          limits,
          onLine,
          knownHosts: join(await realpath(this.#options.workDir), '.known_hosts'),
          newCredentialFolder: () => this.#folders.createForCredential(deploymentId, attempt),
        },
      );
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
    await this.#options.mirrors?.dropTakenBy(deploymentId, attempt);
  }

  async listDeployments(): Promise<string[]> {
    const holders = await this.#options.mirrors?.listHolders();
    return [...new Set([...(await this.#folders.listDeployments()), ...(holders ?? [])])];
  }

  async #createFolder({ deploymentId, attempt }: CheckoutRequest): Promise<string> {
    try {
      return await this.#folders.create(deploymentId, attempt);
    } catch (error) {
      throw explainFullDisk(error);
    }
  }

  async #checkOut(wanted: Wanted, attempt: Attempt): Promise<Checkout> {
    const { projectId, repoUrl } = wanted.request;
    const { mirrors } = this.#options;
    if (!mirrors || projectId === null) {
      const store = { directory: join(wanted.directory, '.git'), isNew: true };
      return { ...(await bringCommit(wanted, attempt, store)), mirrorBytes: null };
    }
    const name = mirrors.nameOf({ projectId, repoUrl });
    const endTurn = await this.#turns.take(name, {
      signal: attempt.limits.signal,
      atMostMs: LONGEST_WAIT_MS,
    });
    try {
      return await this.#withMirror({ mirrors, name }, wanted, attempt);
    } finally {
      endTurn();
    }
  }

  /** A mirror that may be damaged is made anew, once; a deployment never fails because of it. */
  async #withMirror(
    { mirrors, name }: { mirrors: Mirrors; name: string },
    wanted: Wanted,
    attempt: Attempt,
  ): Promise<Checkout> {
    const { request, directory } = wanted;
    const { limits, onLine } = attempt;
    const maxBytes = this.#options.maxMegabytes * 1024 * 1024;
    const mirror = await mirrors.take(name, request);
    limits.alsoCount(mirror.directory, mirror.sizeBefore);
    try {
      const commit = await bringCommit(wanted, attempt, mirror);
      return { ...commit, mirrorBytes: await mirrors.giveBack(mirror, maxBytes) };
    } catch (error) {
      limits.signal.throwIfAborted();
      // A new one has nothing to keep, and goes with the attempt.
      if (mirror.isNew) throw error;
      if (!(error instanceof GitFailed && mayBeDamage(error.output))) {
        await mirrors.giveBack(mirror, maxBytes);
        throw error;
      }
      this.#options.logger.warn({ err: error, mirror: name }, 'mirror may be damaged, making it anew');
      onLine({
        text: 'What was kept of the repository cannot be used; fetching all of it.',
        level: 'warning',
      });
      await this.#folders.endProcesses(request.deploymentId, request.attempt);
      await mirrors.drop(mirror);
      await emptyFolder(directory);
      return await this.#withMirror({ mirrors, name }, wanted, attempt);
    }
  }

  async #removeAfterFailure(deploymentId: string, attempt: number): Promise<void> {
    try {
      await this.remove(deploymentId, attempt);
    } catch (error) {
      // The first error is the one to tell; the reconciler comes by this folder again.
      this.#options.logger.error({ err: error, deploymentId, attempt }, 'clone folder not removed');
    }
  }
}

async function bringCommit(
  { request, source, directory }: Wanted,
  attempt: Attempt,
  store: ObjectStore,
): Promise<Omit<Checkout, 'mirrorBytes'>> {
  const repository = { source, credential: request.credential, workTree: directory, store };
  const isMirror = store.directory !== join(directory, '.git');
  const afterCheckout: AfterCheckout = async (cloned) => {
    if (request.lfs) await addLfsFiles(attempt, cloned);
  };
  const { branch, commitSha, message } = await cloneRepository(attempt, repository, async (cloned) => {
    await afterCheckout(cloned);
    if (!request.submodules) return;
    const { credentialFor } = request.submodules;
    const storesIn = isMirror ? join(store.directory, SUBMODULES) : null;
    await addSubmodules(attempt, cloned, { appUrl: source.webUrl, credentialFor, storesIn, afterCheckout });
  });
  const commitMessage = plainText(message, MAX_MESSAGE_LENGTH);
  attempt.onLine({ text: `Checked out ${commitSha.slice(0, 7)}: ${commitMessage.split('\n')[0] ?? ''}` });
  return { directory, commitSha, commitMessage, branch };
}

async function emptyFolder(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    await rm(join(directory, entry), { recursive: true, force: true });
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
