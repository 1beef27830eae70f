import type { Deployment, ListedDeployment, StatusChange } from './api-views.ts';
import { formatFields } from './table.ts';
import { onOneLine } from './text-width.ts';

const STEPS: Readonly<Record<string, string>> = {
  cloning: 'Cloning',
  building: 'Building',
  releasing: 'Running the release command',
  starting: 'Starting',
  gating: 'Waiting until it answers',
  switching: 'Taking over the traffic',
  draining: 'Live',
};
const STATUSES: Readonly<Record<string, string>> = {
  pending: 'Waiting for a worker',
  building: 'Building',
  deploying: 'Deploying',
  live: 'Live, with nothing left to do',
  failed: 'Failed',
  cancelled: 'Cancelled',
  superseded: 'Superseded by a newer one',
  retired: 'Replaced by a newer release',
  stopped: 'Stopped',
  crashed: 'Crashed',
};

/** What a deployment is doing, in a word or two. */
export function describeChange({ status, step }: Pick<StatusChange, 'status' | 'step'>): string {
  return (step === null ? undefined : STEPS[step]) ?? STATUSES[status] ?? status;
}

/** Why a deployment is not live, for a person: code, reason, what to do, and its last words. */
export function describeFailure(deployment: Deployment, lastLines: readonly string[]): string[] {
  const { id, app_name: app, status } = deployment;
  if (status === 'cancelled') return [`Deployment ${id} of ${app} was cancelled.`];
  if (status === 'superseded') return [`Deployment ${id} of ${app} was superseded by a newer one.`];
  const tail = deployment.log_tail.length > 0 ? deployment.log_tail : lastLines;
  const code = deployment.failure_code === null ? '' : ` (${deployment.failure_code})`;
  return [
    `Deployment ${id} of ${app} ${status === 'crashed' ? 'went live, then crashed' : 'failed'}${code}.`,
    ...[deployment.failure_reason, deployment.failure_advice].flatMap((sentence) => sentence ?? []),
    ...(tail.length > 0 ? ['Its last lines:', ...tail.map((line) => `  | ${line}`)] : []),
  ];
}

/** Everything worth reading of one deployment. */
export function deploymentFields(deployment: ListedDeployment): string[] {
  return formatFields([
    ['id', deployment.id],
    ['app', deployment.app_name],
    ['status', deployment.status],
    ['branch', deployment.branch],
    ['commit', describeCommit(deployment)],
    ['url', deployment.url],
    ['worker', deployment.worker],
    ['created', deployment.created_at],
    ['took', describeDuration(deployment)],
  ]);
}

/** `4f2a9c0 Greet visitors`. */
export function describeCommit(
  of: Pick<ListedDeployment, 'commit_sha' | 'requested_sha' | 'commit_message'>,
) {
  const sha = (of.commit_sha ?? of.requested_sha ?? '').slice(0, 7);
  const [subject = ''] = (of.commit_message ?? '').split('\n');
  return onOneLine(`${sha} ${subject}`);
}

/** From the moment a worker took it up to live, or to its end. */
export function describeDuration(
  of: Pick<ListedDeployment, 'started_at' | 'live_at' | 'finished_at'>,
): string | null {
  const end = of.live_at ?? of.finished_at;
  if (of.started_at === null || end === null) return null;
  return describeSeconds((Date.parse(end) - Date.parse(of.started_at)) / 1000);
}

/** `8 s`, `3 min`, `5 h`, `12 d`: whole ones of the largest unit that fits. */
export function describeSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 120 * 60) return `${Math.floor(whole / 60)} min`;
  if (whole < 48 * 3600) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86_400)} d`;
}
