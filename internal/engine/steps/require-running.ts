import type { FailureEvidence } from '../../errors/deployment-failed.ts';
import { type Exit, explainExit } from '../explain-unready.ts';
import type { Job, Tools } from '../job.ts';
import type { ContainerState, RunningContainer } from '../ports.ts';
import { readLogTail } from '../read-log-tail.ts';

/** The container's state while its first process still runs. @throws DeploymentFailed saying why it does not */
export async function requireRunning(
  job: Pick<Job, 'config'>,
  tools: Tools,
  container: RunningContainer,
  when: Exit['when'],
): Promise<ContainerState> {
  const state = await tools.containers.state(container.containerId);
  if (state !== null && !hasEnded(state)) return state;
  const evidence = await candidateEvidence(tools, container, state);
  throw explainExit({ state, evidence, memoryMb: job.config.memoryMb, when });
}

/** What a failed candidate leaves for the reader; taken before its container is removed. */
export async function candidateEvidence(
  tools: Tools,
  container: RunningContainer,
  state: ContainerState | null,
): Promise<FailureEvidence> {
  const logTail = state ? await readLogTail(tools, container) : [];
  const ended = state !== null && hasEnded(state);
  return ended ? { logTail, exitCode: state.exitCode, outOfMemory: state.outOfMemory } : { logTail };
}

/** Its process is gone, or it has been another one meanwhile. `running` alone proves nothing (M10). */
export function hasEnded(state: ContainerState): boolean {
  return state.status === 'exited' || state.status === 'dead' || state.restartCount > 0;
}
