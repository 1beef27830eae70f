import type { DeploymentStep } from '../db/database.ts';
import { throughOutage } from '../db/through-outage.ts';
import type { Claim } from '../deployments/deployment-queue.ts';
import { isPastSwitch } from '../deployments/deployment-status.ts';
import {
  CancelRequested,
  type ClaimedDeployment,
  giveBack,
  LeaseLost,
  letGo,
  markCancelled,
  markFailed,
  readClaimed,
} from '../deployments/deployment-store.ts';
import { DeploymentFailed, FAILURES } from '../errors/deployment-failed.ts';
import { explainCause, isDatabaseAway } from './explain-cause.ts';
import type { Tools } from './job.ts';
import { ShuttingDown } from './job-ended.ts';
import type { Line } from './ports.ts';

/** Infrastructure failures are tried this often in all, counted when a worker takes the deployment. */
const MAX_ATTEMPTS = 3;
const PAUSE_BEFORE_RETRY_SECONDS = 5;
const DOCKER_PATIENCE_MS = 300_000;
const LOOK_FOR_DOCKER_EVERY_MS = 1_000;
/** Past this, even a deployment that is past its switch is given up: taking it over ends its worker each time (F49). */
const MAX_TAKEOVERS = 6;

/** How often it may be taken before it is given up. */
export function attemptsFor(step: DeploymentStep | null): number {
  return isPastSwitch(step) ? MAX_TAKEOVERS : MAX_ATTEMPTS;
}

/**
 * Writes down how it ended; `tell` stores its line before the status that follows it, `masked` takes secrets out of what
 * a failure tells.
 * @throws LeaseLost, also when it was written down already and only the answer to that was lost
 */
export async function endDeployment(
  tools: Tools,
  claim: Claim,
  of: {
    cause: unknown;
    tell: (line: Line) => Promise<void>;
    masked: (text: string) => string;
    shutdown: AbortSignal;
    /** The job's: aborted when somebody cancels it, too. */
    signal: AbortSignal;
  },
): Promise<void> {
  const { prisma, logger } = tools;
  const { cause, tell, shutdown } = of;
  if (cause instanceof LeaseLost) throw cause;
  // While the database is away nobody can take it over either, so it is waited for, however long (F20).
  const row = await throughOutage(() => readClaimed(prisma, claim), {
    patienceMs: Number.POSITIVE_INFINITY,
    signal: shutdown,
  });
  if (row.leaseOwner === null) throw new LeaseLost(`deployment ${row.id} has ended already`);
  if (cause instanceof CancelRequested) {
    await tell({ text: 'Cancelled', level: 'warning' });
    await markCancelled(prisma, claim);
    logger.info('deployment cancelled');
    return;
  }
  if (cause instanceof ShuttingDown) {
    await tell({ text: 'The worker is stopping; the next one goes on', level: 'warning' });
    if (isPastSwitch(row.step)) await letGo(prisma, claim, 'handed_back');
    else await giveBack(prisma, claim, { outcome: 'handed_back', pauseSeconds: 0 });
    logger.info('deployment handed back');
    return;
  }
  const failure = inPublic(explainCause(cause), of.masked);
  const isPassing = failure.mayPass ?? FAILURES[failure.code].cause === 'platform';
  const mayRetry = isPassing && failure.code !== 'worker_lost';
  const isForward = candidateStands(row, cause);
  const attempts = attemptsFor(isForward ? row.step : null);
  await tell({ text: `${failure.message} ${failure.advice}`, level: 'error' });
  if (mayRetry && (claim.countedAttempts < attempts || row.status === 'live')) {
    logger.warn({ err: cause, code: failure.code }, 'deployment interrupted, trying again');
    if (failure.code === 'docker_unavailable') await untilDockerAnswers(tools, of);
    await tell({
      text: `Trying again: attempt ${claim.countedAttempts + 1} of ${attempts}`,
      level: 'warning',
    });
    if (isForward) {
      await tools.clock.sleep(PAUSE_BEFORE_RETRY_SECONDS * 1000, shutdown).catch(() => undefined);
      await letGo(prisma, claim, 'retried');
    } else {
      await giveBack(prisma, claim, { outcome: 'retried', pauseSeconds: PAUSE_BEFORE_RETRY_SECONDS });
    }
    return;
  }
  logger.warn({ err: cause, code: failure.code }, 'deployment failed');
  await markFailed(prisma, claim, failure);
}

/** Was it left in place, for the next attempt to go forward with? Else whatever there was of it has been undone. */
function candidateStands({ status, step }: ClaimedDeployment, cause: unknown): boolean {
  return isPastSwitch(step) && (status === 'live' || isDatabaseAway(cause));
}

/** It may name what a build argument says, such as an image. */
function inPublic(failure: DeploymentFailed, masked: (text: string) => string): DeploymentFailed {
  const { code, message, evidence, cause, mayPass } = failure;
  return new DeploymentFailed(code, masked(message), { evidence, cause, mayPass });
}

/** A daemon that restarts is waited for, under the lease, so that the next attempt finds it (F15). */
async function untilDockerAnswers(
  { disk, clock }: Tools,
  { tell, signal }: { tell: (line: Line) => Promise<void>; signal: AbortSignal },
): Promise<void> {
  const began = clock.now();
  let isTold = false;
  while (clock.now() - began < DOCKER_PATIENCE_MS && !signal.aborted) {
    try {
      await disk.read();
      return;
    } catch {
      if (!isTold) await tell({ text: 'Waiting for Docker to answer', level: 'warning' });
      isTold = true;
      await clock.sleep(LOOK_FOR_DOCKER_EVERY_MS, signal).catch(() => undefined);
    }
  }
}
