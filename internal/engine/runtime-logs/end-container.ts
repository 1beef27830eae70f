import type { ContainerRunner, RunningContainer } from '../ports.ts';
import { type ReadTools, readContainer } from './read-container.ts';

/** A log is at most 30 MB; a container is not kept for longer because its log cannot be stored. */
const LAST_WORDS_MS = 20_000;

/**
 * Ends and removes a container, its last lines stored first: what it says after SIGTERM is what tells how it ended. The
 * collector, perhaps in another process, reads it too; the cursor sees to it that each line is stored once.
 */
export async function endContainer(
  tools: ReadTools & { readonly containers: Pick<ContainerRunner, 'stopAndRemove'> },
  container: RunningContainer,
  graceSeconds: number,
): Promise<void> {
  await tools.containers.stopAndRemove(container, graceSeconds, async () => {
    try {
      await readContainer(container, tools, { signal: AbortSignal.timeout(LAST_WORDS_MS) });
    } catch (error) {
      tools.logger.warn({ err: error, containerName: container.containerName }, 'last lines not stored');
    }
  });
}
