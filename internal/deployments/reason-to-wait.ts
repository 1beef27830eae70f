/** What stands between a deployment and its begin. */
export interface WaitState {
  /** In the queue over all apps; 1 is next. */
  readonly position: number;
  /** The deployment of the same app that is in flight. */
  readonly sibling: string | null;
  /** Before this it is not tried again. */
  readonly retryAt: Date | null;
  /** The limit of its project, where that many deployments of it are in flight. */
  readonly fullProject: number | null;
  /** How many of all apps are in flight: the workers' slots that are taken. */
  readonly underWay: number;
  readonly hasWorker: boolean;
}

/** Why it has not begun, for a person: what holds it longest comes first. */
export function reasonToWait(state: WaitState): string {
  const { position, sibling, retryAt, fullProject, underWay, hasWorker } = state;
  if (!hasWorker) return 'No worker is running; start one.';
  if (sibling !== null) return `Deployment ${sibling} of this app is under way; it goes first.`;
  if (retryAt !== null) {
    return `The last try failed for a reason of the platform; the next one begins at ${retryAt.toISOString()}.`;
  }
  if (fullProject !== null) {
    return `Its project runs ${fullProject} at a time (deployment_limit), and that many are under way.`;
  }
  const busy = underWay > 0 ? `; the workers are busy with ${deployments(underWay)}` : '';
  if (position > 1) return `${deployments(position - 1)} ${position === 2 ? 'is' : 'are'} ahead${busy}.`;
  return `It is next${busy}; a worker takes it as soon as one is free.`;
}

function deployments(count: number): string {
  return count === 1 ? '1 other deployment' : `${count} other deployments`;
}
