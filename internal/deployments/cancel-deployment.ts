import type { Db, Deployment } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { wakeWorkers } from './deployment-queue.ts';
import { isPastSwitch } from './deployment-status.ts';
import { appendStatus } from './status-line.ts';

/**
 * A waiting deployment is cancelled here and now; one that is being worked on is asked to stop, which its worker does
 * within seconds. Once routing is being switched it is too late: roll forward, then deploy again.
 * @throws AppError not_found, not_cancellable
 */
export async function cancelDeployment(db: Db, deploymentId: string): Promise<Deployment> {
  return db.$transaction(async (tx) => {
    const row = await lockDeployment(tx, deploymentId);
    if (!row) throw new AppError('not_found', 'There is no deployment with this id.');
    if (await stop(tx, row)) return tx.deployment.findUniqueOrThrow({ where: { id: row.id } });
    const why = isPastSwitch(row.step) ? 'is already taking over the traffic' : `has ended (${row.status})`;
    throw new AppError('not_cancellable', `The deployment ${why}, so it can no longer be cancelled.`);
  });
}

/** For apps that go: nothing of them shall start, what is under way shall stop; what is past its switch ends first. */
export async function stopDeploymentsOf(tx: Db, appIds: readonly string[]): Promise<void> {
  const open = await tx.deployment.findMany({
    where: { appId: { in: [...appIds] }, status: { in: ['pending', 'building', 'deploying'] } },
    select: { id: true },
    orderBy: { queueSequence: 'asc' },
  });
  for (const { id } of open) {
    const row = await lockDeployment(tx, id);
    if (row) await stop(tx, row);
  }
  await wakeWorkers(tx);
}

/** Locked first: between looking and writing the worker may not commit `switching`. */
async function lockDeployment(tx: Db, id: string): Promise<Deployment | null> {
  await tx.$queryRaw`SELECT id FROM deployments WHERE id = ${id} FOR UPDATE`;
  return tx.deployment.findUnique({ where: { id } });
}

/** False: it is too late for that. */
async function stop(tx: Db, row: Deployment): Promise<boolean> {
  if (row.cancelRequestedAt) return true;
  if (row.status === 'pending') {
    await tx.$executeRaw`
      UPDATE deployments SET status = 'cancelled', cancel_requested_at = now(), finished_at = now()
       WHERE id = ${row.id}`;
    await appendStatus(tx, { ...row, status: 'cancelled' });
    return true;
  }
  if ((row.status === 'building' || row.status === 'deploying') && !isPastSwitch(row.step)) {
    await tx.$executeRaw`UPDATE deployments SET cancel_requested_at = now() WHERE id = ${row.id}`;
    await tx.$executeRaw`SELECT pg_notify('deployment_cancel', ${row.id})`;
    return true;
  }
  return false;
}
