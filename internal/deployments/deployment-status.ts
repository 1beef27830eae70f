import type { DeploymentStatus, DeploymentStep } from '../db/database.ts';

export type { DeploymentStatus, DeploymentStep };

/**
 * Which status may follow which: the one table. A `pending` after `building` or `deploying` is another try; a `live`
 * after `retired` is the previous release coming back because its successor died while it drained; after `crashed`,
 * a release that Docker kept starting again and that runs steadily by now.
 */
const MOVES: Readonly<Record<DeploymentStatus, readonly DeploymentStatus[]>> = {
  pending: ['building', 'failed', 'cancelled', 'superseded'],
  building: ['pending', 'deploying', 'failed', 'cancelled'],
  deploying: ['pending', 'building', 'live', 'failed', 'cancelled'],
  live: ['retired', 'stopped', 'crashed'],
  retired: ['live'],
  failed: [],
  cancelled: [],
  superseded: [],
  stopped: [],
  crashed: ['live'],
};

export function mayMove(from: DeploymentStatus, to: DeploymentStatus): boolean {
  return MOVES[from].includes(to);
}

/** The statuses from which a deployment may become `to`. */
export function statusesBefore(to: DeploymentStatus): DeploymentStatus[] {
  return (Object.keys(MOVES) as DeploymentStatus[]).filter((from) => mayMove(from, to));
}

/** What each step means for the status; `draining` follows the switch, so the release is live already. */
export function statusDuring(step: DeploymentStep): DeploymentStatus {
  switch (step) {
    case 'cloning':
    case 'building':
      return 'building';
    case 'releasing':
    case 'starting':
    case 'gating':
    case 'switching':
      return 'deploying';
    case 'draining':
      return 'live';
    default:
      return step satisfies never;
  }
}

/** From here on the candidate may have answered requests: recovery goes forward, and cancelling is too late. */
export function isPastSwitch(step: DeploymentStep | null): boolean {
  return step === 'switching' || step === 'draining';
}

/** A worker has it, or should have: at most one per app (a partial unique index says the same). */
export function isInFlight(of: { status: DeploymentStatus; step: DeploymentStep | null }): boolean {
  return (
    of.status === 'building' || of.status === 'deploying' || (of.status === 'live' && of.step === 'draining')
  );
}

/** Nothing more will happen to it by itself, and its log is complete. */
export function isFinished(of: { status: DeploymentStatus; step: DeploymentStep | null }): boolean {
  return of.status !== 'pending' && !isInFlight(of);
}
