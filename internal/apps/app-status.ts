import type { App, DeploymentStatus } from '../db/database.ts';

export const APP_STATUSES = [
  'idle',
  'deploying',
  'active',
  'failed',
  'crashed',
  'stopped',
  'deleting',
] as const;
export type AppStatus = (typeof APP_STATUSES)[number];

/** The newest deployment of an app, whatever became of it. */
export interface LatestDeployment {
  readonly id: string;
  readonly status: DeploymentStatus;
}

/**
 * Nothing stores an app's status: it follows from what was wished and from its deployments. An app whose newest
 * deployment failed is `active` all the same while an older release serves.
 */
export function appStatus(
  app: Pick<App, 'deletingSince' | 'desiredState'> & {
    /** The release that serves. */
    readonly liveDeployment: { readonly status: DeploymentStatus } | null;
  },
  latest: LatestDeployment | null,
): AppStatus {
  if (app.deletingSince) return 'deleting';
  if (latest && isUnderWay(latest.status)) return 'deploying';
  if (app.desiredState === 'stopped') return 'stopped';
  if (app.liveDeployment?.status === 'crashed') return 'crashed';
  if (app.liveDeployment) return 'active';
  if (latest?.status === 'failed') return 'failed';
  if (latest?.status === 'crashed') return 'crashed';
  return 'idle';
}

function isUnderWay(status: DeploymentStatus): boolean {
  return status === 'pending' || status === 'building' || status === 'deploying';
}
