import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { measureFolder } from './measure-folder.ts';

export interface LimitOptions {
  readonly directory: string;
  readonly timeoutSeconds: number;
  readonly maxMegabytes: number;
  readonly maxEntries: number;
  /** The caller's own reason to stop. */
  readonly signal: AbortSignal;
}

/** What an attempt may take: time, bytes and files. Passing one aborts `signal` with the failure as its reason. */
export interface AttemptLimits {
  readonly signal: AbortSignal;
  fail(failure: DeploymentFailed): void;
  /** Measures once more, for what grew between two looks. @throws DeploymentFailed clone_too_large */
  check(): Promise<void>;
  stop(): void;
}

const LOOK_EVERY_MS = 500;

/** Starts the clock and the look at the folder's size; `stop()` ends both. */
export function startLimits(options: LimitOptions): AttemptLimits {
  const { directory, timeoutSeconds } = options;
  const caps = { bytes: options.maxMegabytes * 1024 * 1024, entries: options.maxEntries };
  const broken = new AbortController();

  const check = async () => {
    const size = await measureFolder(directory, caps);
    if (size.bytes > caps.bytes) {
      throw new DeploymentFailed(
        'clone_too_large',
        `The repository is larger than ${options.maxMegabytes} MB.`,
      );
    }
    if (size.entries > caps.entries) {
      throw new DeploymentFailed(
        'clone_too_large',
        `The repository has more than ${options.maxEntries} files and folders, or paths too long to handle.`,
      );
    }
  };
  // The pause follows the look, so that looking at a large tree never takes more than its share.
  const look = async () => {
    const started = performance.now();
    await check().catch((error: unknown) => broken.abort(error));
    if (!broken.signal.aborted) next = lookAfter(Math.max(LOOK_EVERY_MS, 3 * (performance.now() - started)));
  };
  const lookAfter = (milliseconds: number) => setTimeout(() => void look(), milliseconds);
  let next = lookAfter(LOOK_EVERY_MS);
  const deadline = setTimeout(
    () =>
      broken.abort(
        new DeploymentFailed(
          'clone_timeout',
          `The Git host did not deliver the commit within ${timeoutSeconds} seconds.`,
        ),
      ),
    timeoutSeconds * 1000,
  );
  return {
    signal: AbortSignal.any([options.signal, broken.signal]),
    fail: (failure) => broken.abort(failure),
    check,
    stop: () => {
      broken.abort();
      clearTimeout(next);
      clearTimeout(deadline);
    },
  };
}
