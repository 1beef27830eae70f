import type { Tools } from './job.ts';
import { busyApps } from './reconcile-store.ts';

/** How long a container may be there that is made for a moment: another worker may be about to remove it. */
const MOMENT_SECONDS = 60;

type LeftoverTools = Pick<Tools, 'prisma' | 'repairs' | 'logger'>;

/**
 * Steps of builds whose daemon ended under them (M6: the container goes on by itself, and nobody removes it): those of
 * apps for which nobody builds.
 */
export async function removeBuildLeftovers(tools: LeftoverTools): Promise<void> {
  // Docker before the rows: a build that begins in between has a row that says so.
  const steps = await tools.repairs.buildSteps();
  if (steps.length === 0) return;
  const busy = await busyApps(tools.prisma);
  for (const { containerId, appId } of steps.filter((step) => !busy.has(step.appId))) {
    tools.logger.info({ containerId, appId }, 'removing what is left of a build');
    await tools.repairs.remove(containerId);
  }
}

/** Containers made for a moment whose worker was killed in it. Each would keep the image it was made of. */
export async function removeOutlived({ repairs, logger }: Omit<LeftoverTools, 'prisma'>): Promise<void> {
  for (const containerId of await repairs.outlived(MOMENT_SECONDS)) {
    logger.info({ containerId }, 'removing a container that was made for a moment');
    await repairs.remove(containerId);
  }
}
