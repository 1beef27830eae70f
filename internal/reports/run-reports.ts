import type { Clock } from '../clock/clock.ts';
import { GithubUnavailable } from '../github/github-error.ts';
import type { Logger } from '../logger/logger.ts';
import { waitSeconds } from './back-off.ts';
import { type DueReport, dropOldReports, dueReports, markDone, postpone } from './report-store.ts';
import { type SendNeeds, sendReport } from './send-report.ts';

export interface ReportNeeds extends SendNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollIntervalMs: number;
  /** True while this worker is the one that reports. */
  readonly hold: () => Promise<boolean>;
  readonly drop: () => Promise<void>;
}

/** Of different deployments, told at the same time. */
const AT_ONCE = 8;
/** How soon to look again for the commit of a deployment that is being cloned. */
const LOOK_FOR_COMMIT_SECONDS = 2;
const TIDY_EVERY_MS = 3_600_000;

/**
 * Sends what the outbox holds, of each deployment in its order, until the signal is aborted. No deployment waits for it:
 * GitHub that is away is asked again, later and later, for a day.
 */
export async function runReports(needs: ReportNeeds, signal: AbortSignal): Promise<void> {
  const { clock, logger, prisma } = needs;
  let tidiedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    let sent = 0;
    try {
      // Looked for first: while there is nothing to tell, nothing is written.
      if ((await dueReports(prisma, 1)).length > 0 && (await needs.hold())) sent = await sendDue(needs);
      if (clock.now() - tidiedAt >= TIDY_EVERY_MS) {
        tidiedAt = clock.now();
        await dropOldReports(prisma);
      }
    } catch (error) {
      logger.warn({ err: error }, 'reports to GitHub interrupted');
    }
    if (sent === 0) await clock.sleep(needs.pollIntervalMs, signal).catch(() => undefined);
  }
  await needs.drop().catch(() => undefined);
}

/** @returns how many are done with */
export async function sendDue(needs: ReportNeeds): Promise<number> {
  const due = await dueReports(needs.prisma, AT_ONCE);
  const done = await Promise.all(due.map((row) => sendOne(needs, row)));
  return done.filter((isDone) => isDone).length;
}

async function sendOne(needs: ReportNeeds, row: DueReport): Promise<boolean> {
  const { prisma } = needs;
  const logger = needs.logger.child({ deploymentId: row.deploymentId, state: row.state });
  if (row.isStale) {
    logger.warn('report to GitHub given up after a day');
    await markDone(prisma, row.id, 'Given up: GitHub could not be told for a day.');
    return true;
  }
  try {
    const outcome = await sendReport(needs, row);
    if (outcome.kind === 'no_commit' && mayStillHaveCommit(row)) {
      await postpone(prisma, row.id, { seconds: LOOK_FOR_COMMIT_SECONDS, problem: null, isTry: false });
      return false;
    }
    const problem = outcome.kind === 'told' ? outcome.problem : null;
    if (problem !== null) logger.warn({ problem }, 'GitHub did not take a report');
    await markDone(prisma, row.id, problem);
    return true;
  } catch (error) {
    // A fault of ours must not stop those behind it either: it, too, is tried again and given up.
    const attempts = row.attempts + 1;
    const asked = error instanceof GithubUnavailable ? error.retryAfterSeconds : null;
    const problem = error instanceof GithubUnavailable ? error.message : 'An unexpected error; see the log.';
    if (!(error instanceof GithubUnavailable)) logger.error({ err: error }, 'report to GitHub failed');
    else logger.info({ problem, attempts }, 'report to GitHub postponed');
    await postpone(prisma, row.id, { seconds: waitSeconds(attempts, asked), problem, isTry: true });
    return false;
  }
}

/** It waits, or is being cloned: which commit it is will be known. */
function mayStillHaveCommit({ state, status }: DueReport): boolean {
  return state === 'in_progress' && status === 'building';
}
