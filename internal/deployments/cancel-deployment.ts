import type { Db, Deployment } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { isPastSwitch } from './deployment-status.ts';
import { appendStatus } from './status-line.ts';

/**
 * A waiting deployment is cancelled here and now; one that is being worked on is asked to stop, which its worker does
 * within seconds. Once routing is being switched it is too late: roll forward, then deploy again.
 * @throws AppError not_found, not_cancellable
 */
export async function cancelDeployment(prisma: Db, deploymentId: string): Promise<Deployment> {
  return prisma.$transaction(async (tx) => {
    // The row is locked first: between looking and writing the worker may not commit `switching`.
    await tx.$queryRaw`SELECT id FROM deployments WHERE id = ${deploymentId} FOR UPDATE`;
    const row = await tx.deployment.findUnique({ where: { id: deploymentId } });
    if (!row) throw new AppError('not_found', 'There is no deployment with this id.');
    if (row.cancelRequestedAt) return row;

    if (row.status === 'pending') {
      await tx.$executeRaw`
        UPDATE deployments SET status = 'cancelled', cancel_requested_at = now(), finished_at = now()
         WHERE id = ${row.id}`;
      const cancelled = await tx.deployment.findUniqueOrThrow({ where: { id: row.id } });
      await appendStatus(tx, cancelled);
      return cancelled;
    }
    if ((row.status === 'building' || row.status === 'deploying') && !isPastSwitch(row.step)) {
      await tx.$executeRaw`UPDATE deployments SET cancel_requested_at = now() WHERE id = ${row.id}`;
      await tx.$executeRaw`SELECT pg_notify('deployment_cancel', ${row.id})`;
      return tx.deployment.findUniqueOrThrow({ where: { id: row.id } });
    }
    const why = isPastSwitch(row.step) ? 'is already taking over the traffic' : `has ended (${row.status})`;
    throw new AppError('not_cancellable', `The deployment ${why}, so it can no longer be cancelled.`);
  });
}
