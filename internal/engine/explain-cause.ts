import { isDatabaseFull, isDatabaseUnavailable } from '../db/database-unavailable.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';

/** No space, no inodes, or the quota is used up. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * What ended an attempt, as the failure that is told. What is not known here is a fault of ours: its words are for the
 * operator's log only.
 */
export function explainCause(cause: unknown): DeploymentFailed {
  if (cause instanceof DeploymentFailed) return cause;
  if (isDatabaseAway(cause)) {
    const what = isDatabaseFull(cause) ? 'The disk of the database is full.' : 'The database was away.';
    return new DeploymentFailed('database_unavailable', what, { cause });
  }
  if (isDiskFull(cause)) {
    return new DeploymentFailed('disk_full', 'The disk of the platform is full.', { cause });
  }
  return new DeploymentFailed('internal', 'The platform met an unexpected error.', { cause });
}

/** Then nobody knows whether the last write was committed. */
export function isDatabaseAway(cause: unknown): boolean {
  // One of ours may have the lost connection of somebody else for its cause.
  return !(cause instanceof DeploymentFailed) && isDatabaseUnavailable(cause);
}

function isDiskFull(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && FULL.has(String(Reflect.get(cause, 'code')));
}
