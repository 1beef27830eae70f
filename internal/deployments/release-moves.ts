import type { Db } from '../db/database.ts';
import type { DeploymentFailed } from '../errors/deployment-failed.ts';
import { markRelease, type Release } from './release-marker.ts';
import { appendStatus, type StatusRow } from './status-line.ts';

/** Moves of a live release that no worker has in hand; each does nothing when it is no longer the one meant. */

/** It goes on as the app's release: Docker still starts it again, and what answers is served. */
export async function markCrashed(db: Db, release: Release, failure: DeploymentFailed): Promise<boolean> {
  const { code, message, evidence } = failure;
  return db.$transaction(async (tx) => {
    const [row] = await tx.$queryRaw<StatusRow[]>`
      UPDATE deployments d
         SET status = 'crashed', finished_at = now(), failure_code = ${code}, failure_reason = ${message},
             exit_code = ${evidence.exitCode ?? null}::int, out_of_memory = ${evidence.outOfMemory ?? null}::boolean,
             log_tail = ${[...(evidence.logTail ?? [])]}::text[]
        FROM services a
       WHERE d.id = ${release.deploymentId} AND a.live_deployment_id = d.id AND d.status = 'live' AND d.step IS NULL
      RETURNING d.id, d.status, d.step, d.failure_code AS "failureCode", d.failure_reason AS "failureReason"`;
    if (!row) return false;
    await appendStatus(tx, row);
    const text = `Release ${row.id} has crashed: ${message} ${failure.advice}`;
    await markRelease(tx, release, { text, level: 'error' });
    return true;
  });
}

/** It has run for long enough again. */
export async function markRecovered(db: Db, release: Release): Promise<boolean> {
  return db.$transaction(async (tx) => {
    const [row] = await tx.$queryRaw<StatusRow[]>`
      UPDATE deployments d
         SET status = 'live', finished_at = NULL, failure_code = NULL, failure_reason = NULL, exit_code = NULL,
             out_of_memory = NULL, log_tail = '{}'
        FROM services a
       WHERE d.id = ${release.deploymentId} AND a.live_deployment_id = d.id AND d.status = 'crashed'
      RETURNING d.id, d.status, d.step, d.failure_code AS "failureCode", d.failure_reason AS "failureReason"`;
    if (!row) return false;
    await appendStatus(tx, row);
    await markRelease(tx, release, { text: `Release ${row.id} runs steadily again`, level: 'success' });
    return true;
  });
}

/** Its containers have been ended because the app was to stop; one that had crashed keeps that. */
export async function markStopped(db: Db, release: Release): Promise<boolean> {
  return db.$transaction(async (tx) => {
    const stopped = await leaveApp(tx, release);
    if (!stopped) return false;
    const rows = await tx.$queryRaw<StatusRow[]>`
      UPDATE deployments SET status = 'stopped', finished_at = now()
       WHERE id = ${release.deploymentId} AND status = 'live'
      RETURNING id, status, step, failure_code AS "failureCode", failure_reason AS "failureReason"`;
    for (const row of rows) await appendStatus(tx, row);
    await markRelease(tx, release, { text: `Release ${release.deploymentId} has been stopped` });
    return true;
  });
}

async function leaveApp(tx: Db, { appId, deploymentId }: Release): Promise<boolean> {
  const left = await tx.$executeRaw`
    UPDATE services SET live_deployment_id = NULL
     WHERE id = ${appId} AND live_deployment_id = ${deploymentId} AND desired_state = 'stopped'`;
  return left > 0;
}
