import type { BuildLimits } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';

/** What was seen of a build that runs. */
export interface BuildFacts {
  /** How long it has said nothing. */
  readonly silentMs: number;
  /** How long its step has been at the limit of processes. */
  readonly crowdedMs: number;
  /** The step that runs has written that it could start no process, where there is a limit of ours. */
  readonly couldNotFork: boolean;
  /** What all of its steps have written. */
  readonly writtenBytes: number;
  /** On Docker's disk. Null: it cannot be told. */
  readonly freeBytes: number | null;
}

type Limits = Pick<BuildLimits, 'silenceSeconds' | 'pids' | 'diskMb'> & { readonly freeDiskMb: number };

const MEGABYTE = 1024 * 1024;
/** Many jobs at once may touch the limit for a moment, and go on with fewer. */
const CROWDED_MS = 3_000;

/** Why the build must end now; null: it may go on. */
export function judgeBuild(facts: BuildFacts, limits: Limits): DeploymentFailed | null {
  const { silentMs, crowdedMs, writtenBytes, freeBytes } = facts;
  const { silenceSeconds } = limits;
  if (freeBytes !== null && freeBytes < limits.freeDiskMb * MEGABYTE) {
    return new DeploymentFailed(
      'disk_full',
      `The build was ended because only ${megabytes(freeBytes)} are left on Docker's disk; it had written ${megabytes(writtenBytes)}.`,
    );
  }
  if (writtenBytes > limits.diskMb * MEGABYTE) {
    return new DeploymentFailed(
      'build_disk_exceeded',
      `The build has written ${megabytes(writtenBytes)}, and may write ${limits.diskMb} MB.`,
    );
  }
  if (crowdedMs >= CROWDED_MS) {
    return new DeploymentFailed(
      'build_too_many_processes',
      `A step had nearly all of the ${limits.pids} processes and threads that a build may have, for several seconds.`,
    );
  }
  if (silentMs > silenceSeconds * 1000) {
    return stuck('build_silent', `The build said nothing for ${silenceSeconds} seconds.`, { facts, limits });
  }
  return null;
}

/** Why the build must end when its time is over. */
export function judgeOverdue(
  facts: Pick<BuildFacts, 'couldNotFork'>,
  limits: Pick<BuildLimits, 'timeoutSeconds' | 'pids'>,
): DeploymentFailed {
  const reason = `The build took longer than ${limits.timeoutSeconds} seconds.`;
  return stuck('build_timeout', reason, { facts, limits });
}

/** Programs that get no process often wait for ever; then that is the cause, and waiting longer would not help. */
function stuck(
  code: 'build_silent' | 'build_timeout',
  reason: string,
  { facts, limits }: { facts: Pick<BuildFacts, 'couldNotFork'>; limits: Pick<BuildLimits, 'pids'> },
): DeploymentFailed {
  if (!facts.couldNotFork) return new DeploymentFailed(code, reason);
  return new DeploymentFailed(
    'build_too_many_processes',
    `${reason} Before, it could start no more processes: a step of a build may have ${limits.pids} at the same time.`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MEGABYTE)} MB`;
}
