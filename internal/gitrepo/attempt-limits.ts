import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { type FolderSize, measureFolder } from './measure-folder.ts';

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
  /** What this folder has more than it had counts too. */
  alsoCount(directory: string, before: FolderSize): void;
  /** Measures once more, for what grew between two looks, or would with so much more. @throws DeploymentFailed clone_too_large */
  check(more?: Partial<FolderSize>): Promise<void>;
  stop(): void;
}

const LOOK_EVERY_MS = 500;

/** Starts the clock and the look at the folder's size; `stop()` ends both. */
export function startLimits(options: LimitOptions): AttemptLimits {
  const { directory, timeoutSeconds } = options;
  const caps = { bytes: options.maxMegabytes * 1024 * 1024, entries: options.maxEntries };
  const broken = new AbortController();
  const counted = new Map<string, FolderSize>([[directory, { bytes: 0, entries: 0 }]]);

  const check = async ({ bytes = 0, entries = 0 }: Partial<FolderSize> = {}) => {
    const size = await measureGrowth(counted, caps);
    if (size.bytes + bytes > caps.bytes) {
      throw new DeploymentFailed(
        'clone_too_large',
        `The repository is larger than ${options.maxMegabytes} MB.`,
      );
    }
    if (size.entries + entries > caps.entries) {
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
    alsoCount: (folder, before) => void counted.set(folder, before),
    check,
    stop: () => {
      broken.abort();
      clearTimeout(next);
      clearTimeout(deadline);
    },
  };
}

/** Sums up what each folder has more than before; stops as soon as either cap is passed. */
async function measureGrowth(
  folders: ReadonlyMap<string, FolderSize>,
  caps: FolderSize,
): Promise<FolderSize> {
  let sum = { bytes: 0, entries: 0 };
  for (const [folder, before] of folders) {
    const size = await measureFolder(folder, {
      bytes: caps.bytes - sum.bytes + before.bytes,
      entries: caps.entries - sum.entries + before.entries,
    });
    sum = {
      bytes: sum.bytes + Math.max(0, size.bytes - before.bytes),
      entries: sum.entries + Math.max(0, size.entries - before.entries),
    };
    if (sum.bytes > caps.bytes || sum.entries > caps.entries) break;
  }
  return sum;
}
