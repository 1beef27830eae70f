import type { ContainerInspectInfo } from 'dockerode';
import type { ContainerState } from '../engine/ports.ts';
import { plainLine } from './plain-lines.ts';

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;
const HEALTHS = ['none', 'starting', 'healthy', 'unhealthy'] as const;

/** What Docker's inspect says, as the pipeline needs it. */
export function containerState(info: ContainerInspectInfo): ContainerState {
  const { State: state } = info;
  return {
    status: STATUSES.find((status) => status === state.Status) ?? 'dead',
    startedAt: state.StartedAt,
    exitCode: state.ExitCode,
    outOfMemory: state.OOMKilled,
    restartCount: info.RestartCount,
    health: HEALTHS.find((health) => health === state.Health?.Status) ?? 'none',
    gateError: gateError(state),
    restartPolicy: info.HostConfig.RestartPolicy?.Name || 'no',
    networkIds: Object.values(info.NetworkSettings.Networks).flatMap(({ NetworkID }) => NetworkID || []),
    createdAt: info.Created,
  };
}

/**
 * The check itself exits with 0 or 1; when it could not run, Docker notes -1, 126 to 128, or the shell ends with 2.
 * Ended by a signal (137, 143) is what a stop or a crash of the app does to a check that waits.
 */
function gateError(state: ContainerInspectInfo['State']): string | null {
  const last = state.Health?.Log?.at(-1);
  if (!state.Running || !last) return null;
  const couldNotRun = last.ExitCode < 0 || last.ExitCode === 2 || [126, 127, 128].includes(last.ExitCode);
  if (!couldNotRun) return null;
  return plainLine(last.Output.replaceAll(/\s+/g, ' ').trim(), 300) || `exit code ${last.ExitCode}`;
}
