import type { Tools } from './job.ts';
import { busyApps } from './reconcile-store.ts';

/**
 * Steps of builds whose daemon ended under them (M6: the container goes on by itself, and nobody removes it): those of
 * apps for which nobody builds.
 */
export async function removeBuildLeftovers(
  tools: Pick<Tools, 'prisma' | 'repairs' | 'logger'>,
): Promise<void> {
  // Docker before the rows: a build that begins in between has a row that says so.
  const steps = await tools.repairs.buildSteps();
  if (steps.length === 0) return;
  const busy = await busyApps(tools.prisma);
  for (const { containerId, appId } of steps.filter((step) => !busy.has(step.appId))) {
    tools.logger.info({ containerId, appId }, 'removing what is left of a build');
    await tools.repairs.remove(containerId);
  }
}
