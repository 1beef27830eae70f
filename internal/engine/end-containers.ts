import { releaseAddresses } from '../deployments/address-store.ts';
import type { Tools } from './job.ts';
import type { RunningContainer } from './ports.ts';
import { endContainer } from './runtime-logs/end-container.ts';

/** For containers that serve nobody: what is waited for is only their last words. */
export const NO_GRACE_SECONDS = 1;

/**
 * Ends containers side by side, their last lines stored, and lets their addresses rest. All are tried; then the first
 * failure is thrown.
 */
export async function endContainers(
  tools: Parameters<typeof endContainer>[0] & Pick<Tools, 'prisma'>,
  containers: readonly RunningContainer[],
  graceSeconds: number,
): Promise<void> {
  const ended = await Promise.allSettled(
    containers.map((container) => endContainer(tools, container, graceSeconds)),
  );
  const gone = containers.filter((_, index) => ended[index]?.status === 'fulfilled');
  await releaseAddresses(
    tools.prisma,
    gone.map((container) => container.containerName),
  );
  const failed = ended.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
