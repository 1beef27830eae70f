/** Whether a replica that runs has stopped answering: judged only for apps that ask for it. */

const UNANSWERED_IN_A_ROW = 3;
const FOR_AT_LEAST_MS = 30_000;

/** Probes of one container that failed in a row; milliseconds of a monotonic clock. */
export interface Unanswered {
  readonly count: number;
  readonly since: number;
  readonly reason: string;
}

export function noteFailure(before: Unanswered | null, reason: string, now: number): Unanswered {
  return { count: (before?.count ?? 0) + 1, since: before?.since ?? now, reason };
}

export interface ProbedReplica {
  readonly containerId: string;
  /** Null: it answers. */
  readonly unanswered: Unanswered | null;
  /** Started so recently that it may not be ready yet. */
  readonly isStarting: boolean;
}

/** At most one: the next only when the one before answers again, or has had the time to. */
export function replicaToRestart(replicas: readonly ProbedReplica[], now: number): string | null {
  const isComingBack = replicas.some(({ unanswered, isStarting }) => isStarting && unanswered !== null);
  if (isComingBack) return null;
  const due = replicas.find(
    ({ unanswered }) =>
      unanswered !== null &&
      unanswered.count >= UNANSWERED_IN_A_ROW &&
      now - unanswered.since >= FOR_AT_LEAST_MS,
  );
  return due?.containerId ?? null;
}
