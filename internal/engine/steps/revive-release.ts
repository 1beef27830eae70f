import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import type { Candidate, Job, Tools } from '../job.ts';
import type { ContainerState } from '../ports.ts';
import { candidateEvidence, requireRunning } from './require-running.ts';

const LOOK_EVERY_MS = 200;

/**
 * Of a release that was taken over in the middle of its drain: what ended meanwhile is started once more, and awaited
 * before its predecessor goes. The machine may have ended it, and until the drain is over Docker starts it by no policy
 * (F13). If it was its own fault it falls again, and the drain sees that.
 * @param hasPredecessor one that serves instead; without one it is left to come up in its own time
 * @throws DeploymentFailed when it does not stay up, or is not healthy in time while it has a predecessor
 */
export async function reviveRelease(
  job: Job,
  tools: Tools,
  { release, hasPredecessor }: { release: Candidate; hasPredecessor: boolean },
): Promise<void> {
  const states = await Promise.all(
    release.containers.map(({ containerId }) => tools.containers.state(containerId)),
  );
  const ended = release.containers.filter((_, index) => states[index]?.status === 'exited');
  if (ended.length === 0) return;
  job.say({ text: 'The release had ended with its machine; starting it again', level: 'warning' });
  for (const { containerId } of ended) await tools.repairs.startAgain(containerId);

  const began = tools.clock.now();
  const timeoutMs = tools.settings.gateTimeoutSeconds * 1000;
  while (tools.clock.now() - began < timeoutMs) {
    const seen = await Promise.all(ended.map((container) => look(job, tools, container)));
    if (seen.every(isHealthy)) return;
    await tools.clock.sleep(LOOK_EVERY_MS, job.signal);
  }
  if (!hasPredecessor) return;
  for (const container of ended) {
    const state = await look(job, tools, container);
    if (isHealthy(state)) continue;
    throw new DeploymentFailed(
      'health_check_failed',
      `Started again with its machine, the app was not healthy after ${tools.settings.gateTimeoutSeconds} s.`,
      { evidence: await candidateEvidence(tools, container, state) },
    );
  }
}

function look(job: Job, tools: Tools, container: Candidate['containers'][number]): Promise<ContainerState> {
  return requireRunning(job, tools, container, 'while the previous release was draining');
}

function isHealthy({ health }: ContainerState): boolean {
  return health === 'healthy';
}
