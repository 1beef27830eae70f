import type { DeploymentStep } from '../db/database.ts';
import { enterStep } from '../deployments/deployment-store.ts';
import type { Job, Tools } from './job.ts';

/** Records that a step begins, before its first effect; lines of the step before are stored first, in their place. */
export async function beginStep(job: Job, tools: Tools, step: DeploymentStep): Promise<void> {
  await job.flushLines();
  await enterStep(tools.prisma, job.claim, step);
  await tools.checkpoint(step);
}
