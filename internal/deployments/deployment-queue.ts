import type { Db, Deployment, DeploymentTrigger, PrismaClient } from '../db/database.ts';
import { Prisma } from '../db/database.ts';
import { appendLines } from '../logs/append-lines.ts';
import { appendStatus, type StatusRow } from './status-line.ts';

/** The deployments table is the queue; its statements stand here and nowhere else. All times are the database's. */

export interface NewDeployment {
  readonly id: string;
  readonly appId: string;
  readonly trigger: DeploymentTrigger;
  readonly branch: string | null;
  readonly requestedSha: string | null;
  readonly noCache?: boolean;
  readonly configSnapshot: Uint8Array<ArrayBuffer>;
  /** Of one that is not built: the release whose image it takes, and what that one was made of. */
  readonly imageFromId?: string;
  readonly imageId?: string | null;
  readonly imageTag?: string | null;
  readonly registryTag?: string | null;
  readonly commitSha?: string | null;
  readonly commitMessage?: string | null;
}

/** Adds a pending row and wakes a worker when the transaction commits. */
export async function enqueue(tx: Db, deployment: NewDeployment): Promise<Deployment> {
  const row = await tx.deployment.create({ data: deployment });
  await appendStatus(tx, row);
  await wakeWorkers(tx, row.id);
  return row;
}

/**
 * Whoever changes what an app deploys or serves takes turns from here to the end of the transaction: of two pushes at
 * once, each would else wait unseen by the other. In the order of ids, so that two pushes to several apps never wait for
 * each other.
 */
export async function takeTurn(tx: Db, appIds: readonly string[]): Promise<void> {
  await tx.$queryRaw`
    SELECT id FROM services WHERE id = ANY(${[...appIds]}::text[]) ORDER BY id FOR NO KEY UPDATE`;
}

/** The newest push wins: those of the app that still wait never begin. What a person asked for always gets its turn. */
export async function supersedeWaitingPushes(tx: Db, by: { id: string; appId: string }): Promise<void> {
  const reason = `Deployment ${by.id}, of a newer push, took its place before it began.`;
  const overtaken = await tx.$queryRaw<StatusRow[]>`
    UPDATE deployments SET status = 'superseded', finished_at = now(), failure_reason = ${reason}
     WHERE app_id = ${by.appId} AND trigger = 'push' AND status = 'pending' AND id <> ${by.id}
    RETURNING id, status, step, failure_code AS "failureCode", failure_reason AS "failureReason"`;
  for (const row of overtaken) {
    await appendLines(tx, row.id, [{ source: 'deploy', level: 'warning', stream: null, text: reason }]);
    await appendStatus(tx, row);
  }
}

/** A stopped app is one no more, with the commit of the deployment that is to start it. */
export async function wishToRun(tx: Db, appId: string): Promise<void> {
  await tx.app.updateMany({
    where: { id: appId, desiredState: 'stopped' },
    data: { desiredState: 'running' },
  });
}

/** Workers look for work at once instead of at their next poll. */
export async function wakeWorkers(db: Db, deploymentId = ''): Promise<void> {
  await db.$executeRaw`SELECT pg_notify('deployment_queued', ${deploymentId})`;
}

/** One worker's hold on one deployment. A write that names an older fence changes nothing. */
export interface Claim {
  readonly deploymentId: string;
  readonly appId: string;
  readonly attempt: number;
  readonly fence: number;
  /** Attempts so far that count against the limit, this one included. */
  readonly countedAttempts: number;
}

/**
 * Takes the oldest deployment that may run: a pending one whose app has none in flight, or one whose worker let its
 * lease run out, as far as the limit of its project allows. One statement, so that it either holds everything or
 * nothing: FOR UPDATE SKIP LOCKED lets claimers pass each other, and the partial unique index
 * `deployments_one_in_flight` stops two pending ones of one app that two workers take at the same instant. The attempt
 * is counted here, so that a job that kills its worker is noticed.
 * @param inHand what this worker works on: when the database was away for longer than a lease, its next heartbeat
 *   renews that, and to take it for lost would cost an attempt
 */
export async function claimNext(
  prisma: PrismaClient,
  worker: { id: string; leaseSeconds: number },
  inHand: readonly string[] = [],
): Promise<Claim | null> {
  try {
    return await prisma.$transaction(async (tx) => {
      await takeTurnsWhereLimited(tx);
      return await claim(tx, worker, inHand);
    });
  } catch (error) {
    if (isUniqueViolation(error)) return null;
    throw error;
  }
}

/**
 * Two claims at once do not see each other's; where a project may run only so many deployments, they go one after the
 * other, so that together they keep to it.
 */
async function takeTurnsWhereLimited(tx: Db): Promise<void> {
  await tx.$executeRaw`
    SELECT pg_advisory_xact_lock(hashtext('claim_deployment'))
     WHERE EXISTS (SELECT 1 FROM projects WHERE deployment_limit IS NOT NULL)`;
}

async function claim(
  tx: Db,
  worker: { id: string; leaseSeconds: number },
  inHand: readonly string[],
): Promise<Claim | null> {
  const [claimed] = await tx.$queryRaw<Claim[]>`
      WITH next AS (
        SELECT d.id
          FROM deployments d JOIN services a ON a.id = d.app_id JOIN projects p ON p.id = a.project_id
         WHERE (d.status = 'pending'
                AND a.deleting_since IS NULL
                AND (p.deployment_limit IS NULL OR p.deployment_limit > (
                       SELECT count(*) FROM deployments o JOIN services oa ON oa.id = o.app_id
                        WHERE oa.project_id = p.id AND o.status IN ('building', 'deploying')))
                AND (d.not_before IS NULL OR d.not_before <= now())
                AND NOT EXISTS (SELECT 1 FROM deployments o
                                 WHERE o.app_id = d.app_id
                                   AND (o.status IN ('building', 'deploying')
                                        OR (o.status = 'live' AND o.step = 'draining'))))
            OR ((d.status IN ('building', 'deploying') OR (d.status = 'live' AND d.step = 'draining'))
                AND (d.lease_expires_at IS NULL OR d.lease_expires_at < now())
                AND d.id <> ALL(${[...inHand]}::text[]))
         ORDER BY d.status = 'pending', d.queue_sequence
         LIMIT 1
           FOR UPDATE OF d SKIP LOCKED
      ), claimed AS (
        UPDATE deployments d
           SET status = CASE WHEN d.status = 'pending' THEN 'building' ELSE d.status END,
               attempt = d.attempt + 1,
               fence = d.fence + 1,
               not_before = NULL,
               lease_owner = ${worker.id},
               lease_expires_at = now() + make_interval(secs => ${worker.leaseSeconds}),
               started_at = coalesce(d.started_at, now())
          FROM next WHERE d.id = next.id
        RETURNING d.id, d.app_id, d.attempt, d.fence
      ), lost AS (
        UPDATE deployment_attempts t SET ended_at = now(), outcome = 'worker_lost'
          FROM claimed c WHERE t.deployment_id = c.id AND t.ended_at IS NULL
      ), begun AS (
        INSERT INTO deployment_attempts (deployment_id, attempt, worker_id)
        SELECT id, attempt, ${worker.id} FROM claimed
      )
      SELECT c.id AS "deploymentId", c.app_id AS "appId", c.attempt, c.fence,
             1 + (SELECT count(*)::int FROM deployment_attempts t
                   WHERE t.deployment_id = c.id AND t.outcome IS DISTINCT FROM 'handed_back') AS "countedAttempts"
        FROM claimed c`;
  return claimed ?? null;
}

/** What a heartbeat learns. */
export type HeartbeatAnswer = 'held' | 'cancel_requested' | 'lost';

/** Renews the lease; `lost` when another worker has taken the deployment or it has ended. */
export async function heartbeat(
  prisma: PrismaClient,
  claim: Claim,
  worker: { id: string; leaseSeconds: number },
): Promise<HeartbeatAnswer> {
  const [row] = await prisma.$queryRaw<{ cancelRequested: boolean }[]>`
    UPDATE deployments
       SET lease_expires_at = now() + make_interval(secs => ${worker.leaseSeconds})
     WHERE id = ${claim.deploymentId} AND fence = ${claim.fence} AND lease_owner = ${worker.id}
    RETURNING cancel_requested_at IS NOT NULL AS "cancelRequested"`;
  if (!row) return 'lost';
  return row.cancelRequested ? 'cancel_requested' : 'held';
}

/** Every later pending deployment of the queue is one further back; 1 = next. Null: it does not wait. */
export async function queuePosition(db: Db, deploymentId: string): Promise<number | null> {
  const [row] = await db.$queryRaw<{ position: number }[]>`
    SELECT (SELECT count(*)::int FROM deployments o
             WHERE o.status = 'pending' AND o.queue_sequence <= d.queue_sequence) AS position
      FROM deployments d WHERE d.id = ${deploymentId} AND d.status = 'pending'`;
  return row?.position ?? null;
}

function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return error.code === 'P2002' || JSON.stringify(error.meta ?? {}).includes('23505');
}
