import { mkdtempSync, rmSync } from 'node:fs';
import type { Checkout, CheckoutRequest } from '../../internal/engine/ports.ts';
import { GitCheckout, type GitCheckoutOptions } from '../../internal/gitrepo/checkout.ts';
import { Mirrors } from '../../internal/gitrepo/mirrors.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { gitProcessesIn } from './left-on-disk.ts';

export interface LabOptions extends Partial<GitCheckoutOptions> {
  /** Of one worker, for what several of its checkouts share; default: each is of another. */
  readonly checkouts?: GitCheckout;
  readonly signal?: AbortSignal;
}

/** Folders for the clones and the mirrors of one test, and checkouts into them as a worker makes them. */
export class CheckoutLab {
  readonly workDir = mkdtempSync('/tmp/berth-clones-');
  readonly mirrorDir = mkdtempSync('/tmp/berth-mirrors-');
  readonly mirrors = new Mirrors(this.mirrorDir);
  /** What the log of the deployments would say. */
  readonly lines: string[] = [];
  readonly #usual: Partial<GitCheckoutOptions>;

  constructor(usual: Partial<GitCheckoutOptions>) {
    this.#usual = usual;
  }

  checkouts(options: Partial<GitCheckoutOptions> = {}): GitCheckout {
    return new GitCheckout({
      workDir: this.workDir,
      mirrors: this.mirrors,
      allowedHosts: [],
      privateHosts: [],
      timeoutSeconds: 60,
      maxMegabytes: 50,
      logger: createLogger({ level: 'silent', process: 'worker' }),
      ...this.#usual,
      ...options,
    });
  }

  checkout(request: CheckoutRequest, options: LabOptions = {}): Promise<Checkout> {
    const { checkouts = this.checkouts(options), signal = new AbortController().signal } = options;
    return checkouts.checkout(request, { signal, onLine: ({ text }) => this.lines.push(text) });
  }

  /** Removes the folders. @returns the processes of Git that were still at work in them */
  close(): string[] {
    const left = gitProcessesIn(this.workDir);
    for (const folder of [this.workDir, this.mirrorDir]) rmSync(folder, { recursive: true, force: true });
    return left;
  }
}

/** For the newest commit of `main`, without a credential. */
export function checkoutRequest(
  changes: Pick<CheckoutRequest, 'repoUrl'> & Partial<CheckoutRequest>,
): CheckoutRequest {
  return {
    deploymentId: 'abcdefghij',
    attempt: 1,
    projectId: 'klmnopqrst',
    branch: 'main',
    commitSha: null,
    credential: { kind: 'none', why: 'other_host' },
    submodules: null,
    lfs: false,
    ...changes,
  };
}
