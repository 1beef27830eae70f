import type { RunningContainer } from './ports.ts';

/** Of an app's containers, those that are not the release that serves now. */
export function whichToRetire(
  all: readonly RunningContainer[],
  release: { deploymentId: string; attempt: number },
): RunningContainer[] {
  return all.filter(
    (container) => container.deploymentId !== release.deploymentId || container.attempt !== release.attempt,
  );
}
