import type { Job, Tools } from '../job.ts';
import type { RunningContainer } from '../ports.ts';

const COUNT_EVERY_MS = 500;
const ZEROS_IN_A_ROW = 2;

/**
 * Waits until nobody talks to these containers any more, or the app's drain time is over. The proxy sends them nothing
 * new and drops its idle connections after 2 s, so what is left are answers under way.
 * @param watch is called before each count and may throw to end the wait
 */
export async function drain(
  job: Pick<Job, 'signal' | 'config'>,
  tools: Tools,
  from: { containers: readonly RunningContainer[]; watch?: () => Promise<void> },
): Promise<void> {
  const began = tools.clock.now();
  let zeros = 0;
  while (zeros < ZEROS_IN_A_ROW && tools.clock.now() - began < job.config.drainSeconds * 1000) {
    await from.watch?.();
    const counts = await Promise.all(
      from.containers.map((container) => tools.containers.establishedConnections(container)),
    );
    // A count that cannot be read is not zero: then the full time is given.
    zeros = counts.every((count) => count === 0) ? zeros + 1 : 0;
    if (zeros < ZEROS_IN_A_ROW) await tools.clock.sleep(COUNT_EVERY_MS, job.signal);
  }
}
