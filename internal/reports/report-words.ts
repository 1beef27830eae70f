import type { DeploymentStatus } from '../db/database.ts';
import type { ReportState } from '../deployments/report-outbox.ts';
import { FAILURES, type FailureCode } from '../errors/deployment-failed.ts';
import type { CommitStatus, DeploymentStatus as GithubStatus } from '../github/deployment-reports.ts';

/** What is told, and what is known of the deployment as it is now. */
export interface ReportFacts {
  readonly state: ReportState;
  readonly status: DeploymentStatus;
  /** Its reason stays here: that may quote the app, and a public repository shows statuses to everybody. */
  readonly failureCode: string | null;
  /** Where the release answers; null: nowhere. */
  readonly url: string | null;
}

/** As GitHub takes them. */
const LONGEST = 140;

/** One sentence, as people read it beside a commit. */
export function describe(facts: ReportFacts): string {
  const text = sentence(facts).replace(/\s+/g, ' ');
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

function sentence({ state, status, failureCode, url }: ReportFacts): string {
  switch (state) {
    case 'pending':
      return 'Waiting in the queue';
    case 'in_progress':
      return 'Building and starting';
    case 'success':
      return url === null ? 'Live' : `Live at ${new URL(url).host}`;
    case 'failure':
      return failureCode === null ? 'Failed' : `${inWords(failureCode)}; Berth says why`;
    case 'inactive':
      if (status === 'cancelled') return 'Cancelled';
      if (status === 'superseded') return 'Superseded by a newer push';
      return status === 'stopped' ? 'Stopped' : 'Replaced by a newer release';
    default:
      return state satisfies never;
  }
}

/** The mark beside the commit; null: it keeps the one it has. */
export function commitState(facts: ReportFacts): CommitStatus['state'] | null {
  switch (facts.state) {
    case 'pending':
    case 'in_progress':
      return 'pending';
    case 'success':
      return 'success';
    case 'failure':
      // `error` is GitHub's word for what is no fault of the commit.
      return isOurFault(facts.failureCode) ? 'error' : 'failure';
    case 'inactive':
      return facts.status === 'cancelled' || facts.status === 'superseded' ? 'error' : null;
    default:
      return facts.state satisfies never;
  }
}

/** The state of the Deployment. */
export function deploymentState({ state }: ReportFacts): GithubStatus['state'] {
  return state === 'pending' ? 'queued' : state;
}

/** Tells apart the apps that come out of one repository. */
export function environmentName(of: { project: string; app: string }): string {
  return of.project === 'default' ? of.app : `${of.project}/${of.app}`;
}

/** `build_failed`: Build failed. */
function inWords(code: string): string {
  const words = code.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function isOurFault(code: string | null): boolean {
  return code !== null && Object.hasOwn(FAILURES, code) && FAILURES[code as FailureCode].cause === 'platform';
}
