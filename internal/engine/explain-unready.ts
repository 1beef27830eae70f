import { DeploymentFailed, type FailureCode, type FailureEvidence } from '../errors/deployment-failed.ts';
import type { ContainerState, ListeningPort, ProbeResult } from './ports.ts';

/** What was seen of a candidate that did not become ready in time. */
export interface Unready {
  readonly port: number;
  readonly path: string | null;
  readonly timeoutSeconds: number;
  readonly lastAnswer: ProbeResult | null;
  readonly listening: readonly ListeningPort[];
  readonly evidence: FailureEvidence;
}

/** Why a candidate that runs is not ready, from the most certain cause to the least. */
export function explainUnready(seen: Unready): DeploymentFailed {
  const { port, path, timeoutSeconds, listening, evidence } = seen;
  const answer = seen.lastAnswer;
  const onPort = listening.filter((socket) => socket.port === port);
  const others = listening.filter((socket) => socket.port !== port);

  if (answer && (answer.ok || answer.connected)) {
    const reason = answer.ok ? 'it did not answer steadily' : answer.reason;
    const asked = path === null ? `port ${port}` : `GET ${path} on port ${port}`;
    return new DeploymentFailed(
      'health_check_failed',
      `After ${timeoutSeconds} s ${asked} was not healthy: ${reason}.`,
      {
        evidence,
      },
    );
  }
  if (onPort.length > 0 && onPort.every((socket) => socket.loopbackOnly)) {
    return new DeploymentFailed(
      'listens_on_loopback',
      `The app listens on port ${port} of 127.0.0.1 only, where nothing outside its container can reach it.`,
      { evidence },
    );
  }
  if (onPort.length > 0) {
    const reason = answer?.ok === false ? answer.reason : 'the connection was not accepted';
    return new DeploymentFailed('health_check_failed', `The app listens on port ${port}, but ${reason}.`, {
      evidence,
    });
  }
  if (others.length > 0) {
    const ports = others
      .map((socket) => `${socket.port}${socket.loopbackOnly ? ' (127.0.0.1 only)' : ''}`)
      .join(', ');
    return new DeploymentFailed(
      'listens_on_other_port',
      `Nothing listens on port ${port} after ${timeoutSeconds} s; the app listens on ${ports}.`,
      { evidence },
    );
  }
  return new DeploymentFailed(
    'port_not_listening',
    `The app runs, but nothing listens on port ${port} after ${timeoutSeconds} s.`,
    { evidence },
  );
}

/** What was seen of a container whose process is gone, and when that was. */
export interface Exit {
  /** Null: the container is gone too. */
  readonly state: ContainerState | null;
  readonly evidence: FailureEvidence;
  readonly memoryMb: number;
  readonly when: 'before it was ready' | 'while the previous release was draining';
}

/** Why a candidate's process is gone; exit codes 126 and 127 are Docker's for a command that cannot be run. */
export function explainExit({ state, evidence, memoryMb, when }: Exit): DeploymentFailed {
  const failed = (code: FailureCode, reason: string) => new DeploymentFailed(code, reason, { evidence });
  if (state === null) return failed('exited_early', `The container was removed by someone else ${when}.`);
  if (state.outOfMemory) {
    return failed(
      'out_of_memory',
      `The app used more memory than its limit of ${memoryMb} MB and was ended.`,
    );
  }
  if (state.exitCode === 126 || state.exitCode === 127) {
    return failed('image_start_failed', `The start command could not be run (exit code ${state.exitCode}).`);
  }
  return failed('exited_early', `The app ended with exit code ${state.exitCode} ${when}.`);
}
