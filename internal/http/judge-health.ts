import type { PlatformWarning } from '../errors/platform-warnings.ts';

export interface Verdict {
  readonly status: 'ok' | 'degraded';
  readonly workers: number;
  /** Sorted, each once. */
  readonly warnings: PlatformWarning[];
}

/**
 * How a platform is whose database answers, by the workers that have told of themselves lately. Without a worker it takes
 * requests and keeps them, so it is well; `workers` tells that nothing moves.
 */
export function judgeHealth(workers: readonly { readonly warnings: readonly PlatformWarning[] }[]): Verdict {
  const warnings = [...new Set(workers.flatMap((worker) => worker.warnings))].toSorted();
  return { status: warnings.length === 0 ? 'ok' : 'degraded', workers: workers.length, warnings };
}
