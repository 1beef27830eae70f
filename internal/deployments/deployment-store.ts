import type { Db, Deployment, DeploymentStep, PrismaClient } from '../db/database.ts';
import { Prisma } from '../db/database.ts';
import { throughOutage } from '../db/through-outage.ts';
import type { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Claim } from './deployment-queue.ts';
import { takeTurn, wakeWorkers } from './deployment-queue.ts';
import { type DeploymentStatus, statusDuring, statusesBefore } from './deployment-status.ts';
import { markRelease } from './release-marker.ts';
import { appendStatus, type StatusRow } from './status-line.ts';

/** Another worker has the deployment now, or it has ended: whatever this one still does must change nothing. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The deployment was cancelled before its switch. */
export class CancelRequested extends Error {
  override readonly name = 'CancelRequested';
}

/** A deployment that has an image, whoever built it. */
export type BuiltRelease = Pick<
  Deployment,
  | 'id'
  | 'imageId'
  | 'imageTag'
  | 'imageBytes'
  | 'imageReusedFromId'
  | 'registryTag'
  | 'buildKey'
  | 'commitSha'
  | 'commitMessage'
  | 'branch'
>;

/** The one way a worker writes to a deployment: 0 rows for an older fence or a move that is not allowed → LeaseLost. */
async function write(
  tx: Db,
  claim: Claim,
  change: { to?: DeploymentStatus; set: Prisma.Sql; where?: Prisma.Sql },
): Promise<StatusRow> {
  const allowed = change.to ? [change.to, ...statusesBefore(change.to)] : null;
  const [row] = await tx.$queryRaw<StatusRow[]>`
    UPDATE deployments
       SET ${change.set} ${change.to ? Prisma.sql`, status = ${change.to}::deployment_status` : Prisma.empty}
     WHERE id = ${claim.deploymentId} AND fence = ${claim.fence} AND lease_owner IS NOT NULL
       ${allowed ? Prisma.sql`AND status = ANY(${allowed}::deployment_status[])` : Prisma.empty}
       ${change.where ?? Prisma.empty}
    RETURNING id, status, step, failure_code AS "failureCode", failure_reason AS "failureReason"`;
  if (!row) throw new LeaseLost(`deployment ${claim.deploymentId}: fence ${claim.fence} no longer holds`);
  return row;
}

/**
 * Each write of a worker may be done twice, so one that the database was away for is: a restart of Postgres costs no
 * attempt. Where the answer was lost after the commit that ended the deployment, the second try is told LeaseLost.
 */
async function inTransaction(prisma: PrismaClient, work: (tx: Db) => Promise<void>): Promise<void> {
  await throughOutage(() => prisma.$transaction(work));
}

/** The row as its worker sees it. @throws LeaseLost */
export async function readClaimed(prisma: PrismaClient, claim: Claim) {
  const row = await throughOutage(() =>
    prisma.deployment.findFirst({
      where: { id: claim.deploymentId, fence: claim.fence },
      include: { app: { include: { project: { include: { user: true } } } } },
    }),
  );
  if (!row) throw new LeaseLost(`deployment ${claim.deploymentId}: fence ${claim.fence} no longer holds`);
  return row;
}
export type ClaimedDeployment = Awaited<ReturnType<typeof readClaimed>>;

/**
 * The owner of what its worker writes into the deployment's log. Locked, so that a takeover, an end and a deletion come
 * either after the lines or before them, and then nothing is stored: the log ends with the status (I6).
 */
export function claimedRow(claim: Claim): Prisma.Sql {
  return Prisma.sql`
    SELECT id FROM deployments
     WHERE id = ${claim.deploymentId} AND fence = ${claim.fence} AND lease_owner IS NOT NULL
       FOR SHARE`;
}

/** Begins a step; the one before ends. Committed before the step's first effect. @throws LeaseLost */
export async function enterStep(prisma: PrismaClient, claim: Claim, step: DeploymentStep): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    const row = await write(tx, claim, {
      to: statusDuring(step),
      set: Prisma.sql`step = ${step}::deployment_step`,
    });
    await recordStep(tx, claim, step);
    await appendStatus(tx, row);
  });
}

/**
 * The last moment to be cancelled: committed before the gate opens, so that recovery goes forward from here.
 * @throws CancelRequested when someone asked first; LeaseLost
 */
export async function commitSwitching(prisma: PrismaClient, claim: Claim): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    const row = await write(tx, claim, {
      to: 'deploying',
      set: Prisma.sql`step = CASE WHEN cancel_requested_at IS NULL THEN 'switching'::deployment_step ELSE step END`,
    });
    if (row.step !== 'switching') throw new CancelRequested();
    await recordStep(tx, claim, 'switching');
    await appendStatus(tx, row);
  });
}

export async function recordCheckout(
  prisma: PrismaClient,
  claim: Claim,
  source: { commitSha: string; commitMessage: string; branch: string },
): Promise<void> {
  await throughOutage(() =>
    write(prisma, claim, {
      set: Prisma.sql`commit_sha = ${source.commitSha}, commit_message = ${source.commitMessage}, branch = ${source.branch}`,
    }),
  );
}

export async function recordImage(
  prisma: PrismaClient,
  claim: Claim,
  image: { imageId: string; imageTag: string; bytes: number; buildKey: string },
): Promise<void> {
  await throughOutage(() =>
    write(prisma, claim, {
      set: Prisma.sql`image_id = ${image.imageId}, image_tag = ${image.imageTag},
        image_bytes = ${image.bytes}::bigint, build_key = ${image.buildKey}, image_reused_from_id = NULL,
        registry_tag = NULL`,
    }),
  );
}

/** It takes the image of this deployment, and was made of the same commit. @throws LeaseLost */
export async function recordReusedImage(tx: Db, claim: Claim, of: BuiltRelease): Promise<void> {
  await write(tx, claim, {
    set: Prisma.sql`image_id = ${of.imageId}, image_tag = ${of.imageTag}, image_bytes = ${of.imageBytes}::bigint,
      build_key = ${of.buildKey}, image_reused_from_id = ${of.imageReusedFromId ?? of.id},
      commit_sha = ${of.commitSha}, commit_message = ${of.commitMessage}, branch = coalesce(branch, ${of.branch}),
      registry_tag = ${of.registryTag}`,
  });
}

/** On its app: what the repository was built as. */
export async function recordFramework(prisma: PrismaClient, claim: Claim, framework: string): Promise<void> {
  await throughOutage(
    () => prisma.$executeRaw`
      UPDATE services SET detected_framework = ${framework}
        FROM deployments
       WHERE services.id = deployments.app_id AND detected_framework IS DISTINCT FROM ${framework}
         AND deployments.id = ${claim.deploymentId} AND fence = ${claim.fence} AND lease_owner IS NOT NULL`,
  );
}

/** Its image is in the registry now, by this name. @throws LeaseLost */
export async function recordPush(prisma: PrismaClient, claim: Claim, registryTag: string): Promise<void> {
  await throughOutage(() => write(prisma, claim, { set: Prisma.sql`registry_tag = ${registryTag}` }));
}

/** Gives the candidate its place in the global order of releases; the newest healthy one wins at the proxy. */
export async function recordCandidate(
  prisma: PrismaClient,
  claim: Claim,
  port: number,
): Promise<{ routeSequence: number }> {
  return await throughOutage(async () => {
    const [next] = await prisma.$queryRaw<
      { sequence: number }[]
    >`SELECT nextval('route_priority')::int AS sequence`;
    const routeSequence = next?.sequence ?? 0;
    await write(prisma, claim, {
      set: Prisma.sql`candidate_attempt = ${claim.attempt}, port = ${port}, route_priority = ${routeSequence}`,
    });
    return { routeSequence };
  });
}

/** After a restored backup: releases that no row knows must not win over those to come. */
export async function raiseRoutePriority(prisma: PrismaClient, sequence: number): Promise<void> {
  await prisma.$queryRaw`
    SELECT setval('route_priority', ${sequence}::bigint)::text FROM route_priority WHERE last_value < ${sequence}::bigint`;
}

/** One transaction: this one live, the app pointing at it, the previous retired. Asked twice, it changes nothing more. */
export async function goLive(prisma: PrismaClient, claim: Claim): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    // The app before its deployment, as whoever stops or deletes it does: else each could wait for the other.
    await takeTurn(tx, [claim.appId]);
    const { liveAt } = await tx.deployment.findUniqueOrThrow({ where: { id: claim.deploymentId } });
    const row = await write(tx, claim, {
      to: 'live',
      set: Prisma.sql`step = 'draining', live_at = coalesce(live_at, now()),
        previous_id = coalesce(previous_id,
          (SELECT nullif(a.live_deployment_id, deployments.id) FROM services a WHERE a.id = app_id))`,
    });
    const retired = await tx.$queryRaw<StatusRow[]>`
      UPDATE deployments SET status = 'retired', finished_at = now()
       WHERE app_id = ${claim.appId} AND status = 'live' AND id <> ${row.id}
      RETURNING id, status, step, failure_code AS "failureCode", failure_reason AS "failureReason"`;
    await tx.$executeRaw`UPDATE services SET live_deployment_id = ${row.id} WHERE id = ${claim.appId}`;
    await recordStep(tx, claim, 'draining');
    await appendStatus(tx, row);
    for (const previous of retired) await appendStatus(tx, previous);
    if (liveAt === null) await sayLive(tx, claim, retired);
  });
}

/** The drain is over: the release is live and no worker holds it any more. */
export async function finishLive(prisma: PrismaClient, claim: Claim): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    const row = await write(tx, claim, {
      to: 'live',
      set: Prisma.sql`step = NULL, lease_owner = NULL, lease_expires_at = NULL`,
    });
    await endAttempt(tx, claim, 'live');
    await appendStatus(tx, row);
    const { previousId } = await tx.deployment.findUniqueOrThrow({ where: { id: row.id } });
    if (previousId !== null) {
      const previous = { appId: claim.appId, deploymentId: previousId };
      await markRelease(tx, previous, { text: `Release ${previousId} has been stopped` });
    }
    await wakeWorkers(tx);
  });
}

/** It died while its predecessor was still draining: that one is the app's release again, as it was before. */
export async function returnToPrevious(
  prisma: PrismaClient,
  claim: Claim,
  failure: DeploymentFailed,
): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    await takeTurn(tx, [claim.appId]);
    const row = await write(tx, claim, { to: 'crashed', set: endedWith(failure) });
    const [previous] = await tx.$queryRaw<StatusRow[]>`
      UPDATE deployments p
         SET status = CASE WHEN p.status = 'retired' THEN 'live' ELSE p.status END,
             finished_at = CASE WHEN p.status = 'retired' THEN NULL ELSE p.finished_at END
        FROM deployments d WHERE d.id = ${row.id} AND p.id = d.previous_id AND p.status IN ('retired', 'crashed')
      RETURNING p.id, p.status, p.step, p.failure_code AS "failureCode", p.failure_reason AS "failureReason"`;
    await tx.$executeRaw`UPDATE services SET live_deployment_id = ${previous?.id ?? null} WHERE id = ${claim.appId}`;
    await endAttempt(tx, claim, 'crashed');
    await appendStatus(tx, row);
    if (previous) await appendStatus(tx, previous);
    const back = previous ? `; release ${previous.id} serves again` : '';
    await markRelease(tx, claim, { text: `Release ${row.id} has crashed${back}`, level: 'error' });
    await wakeWorkers(tx);
  });
}

export async function markFailed(
  prisma: PrismaClient,
  claim: Claim,
  failure: DeploymentFailed,
): Promise<void> {
  await finish(prisma, claim, 'failed', endedWith(failure));
}

export async function markCancelled(prisma: PrismaClient, claim: Claim): Promise<void> {
  await finish(prisma, claim, 'cancelled', ENDED);
}

/** Back to the queue, at its old place: after an infrastructure failure (with a pause), or handed back at shutdown. */
export async function giveBack(
  prisma: PrismaClient,
  claim: Claim,
  how: { outcome: 'retried' | 'handed_back'; pauseSeconds: number },
): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    const row = await write(tx, claim, {
      to: 'pending',
      set: Prisma.sql`step = NULL, lease_owner = NULL, lease_expires_at = NULL,
        not_before = now() + make_interval(secs => ${how.pauseSeconds})`,
    });
    await endAttempt(tx, claim, how.outcome);
    await appendStatus(tx, row);
    await wakeWorkers(tx);
  });
}

/** Past the switch nothing is begun again: the lease ends now, so that the next worker goes on at once. */
export async function letGo(
  prisma: PrismaClient,
  claim: Claim,
  outcome: 'retried' | 'handed_back',
): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    await write(tx, claim, { set: Prisma.sql`lease_owner = NULL, lease_expires_at = NULL` });
    await endAttempt(tx, claim, outcome);
    await wakeWorkers(tx);
  });
}

const ENDED = Prisma.sql`lease_owner = NULL, lease_expires_at = NULL, finished_at = now()`;

const endedWith = ({ code, message, evidence }: DeploymentFailed) => Prisma.sql`${ENDED},
  failure_code = ${code}, failure_reason = ${message}, exit_code = ${evidence.exitCode ?? null}::int,
  out_of_memory = ${evidence.outOfMemory ?? null}::boolean, log_tail = ${[...(evidence.logTail ?? [])]}::text[]`;

async function finish(
  prisma: PrismaClient,
  claim: Claim,
  to: 'failed' | 'cancelled',
  set: Prisma.Sql,
): Promise<void> {
  await inTransaction(prisma, async (tx) => {
    const row = await write(tx, claim, { to, set });
    await endAttempt(tx, claim, to);
    await appendStatus(tx, row);
    await wakeWorkers(tx);
  });
}

async function sayLive(tx: Db, claim: Claim, retired: readonly StatusRow[]): Promise<void> {
  const instead = retired.length > 0 ? ` instead of ${retired.map(({ id }) => id).join(', ')}` : '';
  await markRelease(tx, claim, { text: `Release ${claim.deploymentId} is live${instead}` });
}

async function recordStep(tx: Db, claim: Claim, step: DeploymentStep): Promise<void> {
  await endOpenStep(tx, claim);
  await tx.$executeRaw`
    INSERT INTO deployment_steps (deployment_id, attempt, step)
    VALUES (${claim.deploymentId}, ${claim.attempt}, ${step}::deployment_step)
    ON CONFLICT (deployment_id, attempt, step) DO UPDATE SET ended_at = NULL`;
}

async function endOpenStep(tx: Db, claim: Claim): Promise<void> {
  await tx.$executeRaw`
    UPDATE deployment_steps SET ended_at = clock_timestamp()
     WHERE deployment_id = ${claim.deploymentId} AND ended_at IS NULL`;
}

async function endAttempt(tx: Db, claim: Claim, outcome: string): Promise<void> {
  await endOpenStep(tx, claim);
  await tx.$executeRaw`
    UPDATE deployment_attempts SET ended_at = now(), outcome = ${outcome}
     WHERE deployment_id = ${claim.deploymentId} AND attempt = ${claim.attempt}`;
}
