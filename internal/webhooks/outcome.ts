/** What may come of a delivery for an app. */
export const OUTCOME_KINDS = ['deployed', 'ignored', 'duplicate', 'recorded', 'superseded'] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];

export interface Outcome {
  /** Null: it concerns no app. */
  readonly appId: string | null;
  readonly outcome: OutcomeKind;
  /** Why, in words. */
  readonly reason: string;
  readonly deploymentId: string | null;
}

/** One that made no deployment. */
export function withoutDeployment(outcome: OutcomeKind, reason: string): Omit<Outcome, 'appId'> {
  return { outcome, reason, deploymentId: null };
}
