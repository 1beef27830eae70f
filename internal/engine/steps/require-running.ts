import { DeploymentFailed, type FailureEvidence } from '../../errors/deployment-failed.ts';
import { type Exit, explainExit } from '../explain-unready.ts';
import type { Job, Tools } from '../job.ts';
import type { ContainerState, RunningContainer } from '../ports.ts';
import { readLogTail } from '../read-log-tail.ts';

/**
 * The container's state while its first process still runs.
 * @throws DeploymentFailed saying why it does not: docker_unavailable where that says nothing of the app
 */
export async function requireRunning(
  job: Pick<Job, 'config'>,
  tools: Tools,
  container: RunningContainer,
  when: Exit['when'],
): Promise<ContainerState> {
  const state = await tools.containers.state(container.containerId);
  if (state !== null && !hasEnded(state)) return state;
  await requireSeenEnd(tools, container, state);
  const evidence = await candidateEvidence(tools, container, state);
  throw explainExit({ state, evidence, memoryMb: job.config.memoryMb, when });
}

/**
 * A Docker that is stopped ends its containers, and each of them looks as if it had ended by itself (F14).
 * @throws DeploymentFailed docker_unavailable
 */
export async function requireSeenEnd(
  tools: Pick<Tools, 'containers'>,
  { containerId }: RunningContainer,
  state: ContainerState | null,
): Promise<void> {
  if (state === null || !isOver(state)) return;
  if (await tools.containers.sawEnd(containerId, state.startedAt)) return;
  throw new DeploymentFailed('docker_unavailable', 'Docker was restarted, and the container ended with it.');
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

/**
 * Its process is gone, or it has been another one meanwhile. `running` alone proves nothing (M10). One with the policy
 * of a release whose drain is over may have been started again: that is Docker's work, and no end.
 */
export function hasEnded(state: ContainerState): boolean {
  return isOver(state) || (state.restartCount > 0 && state.restartPolicy !== 'always');
}

/** It has no process now. */
export function isOver({ status }: ContainerState): boolean {
  return status === 'exited' || status === 'dead';
}
