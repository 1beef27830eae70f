import { releaseAddressesOf } from '../../deployments/address-store.ts';
import { finishLive } from '../../deployments/deployment-store.ts';
import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import { endContainers } from '../end-containers.ts';
import type { Job, Tools } from '../job.ts';
import { leftByOthers } from './resume-candidate.ts';

/**
 * Ends a deployment whose every attempt has lost its worker (F49). One that is live stays so, without the rest of its
 * drain: the reconciler ends its predecessor.
 * @throws DeploymentFailed worker_lost, with nothing of it left behind
 */
export async function giveUp(job: Job, tools: Tools): Promise<void> {
  if (job.row.status === 'live') {
    tools.logger.error('drain given up after too many lost workers');
    await finishLive(tools.prisma, job.claim);
    return;
  }
  await endContainers(tools, await leftByOthers(job, tools), tools.settings.stopGraceSeconds);
  await releaseAddressesOf(tools.prisma, job.row.id, []);
  const times = job.claim.countedAttempts - 1;
  throw new DeploymentFailed('worker_lost', `The worker was lost ${times} times during this deployment.`);
}
