import { expect, test } from '@jest/globals';
import type { ContainerInspectInfo } from 'dockerode';
import { containerState } from './container-state.ts';

const STATE: ContainerInspectInfo['State'] = {
  Status: 'running',
  Running: true,
  Paused: false,
  Restarting: false,
  OOMKilled: false,
  Dead: false,
  Pid: 1,
  ExitCode: 0,
  Error: '',
  StartedAt: '2026-01-01T00:00:00Z',
  FinishedAt: '',
};
/** As much of an inspected container as is read. */
function inspected(State: ContainerInspectInfo['State'], RestartCount = 0): ContainerInspectInfo {
  const info = {
    State,
    RestartCount,
    Created: '2025-12-31T23:59:59Z',
    HostConfig: { RestartPolicy: { Name: 'always' } },
    NetworkSettings: { Networks: { net: { NetworkID: 'n1' } } },
  };
  return info as unknown as ContainerInspectInfo;
}
const withCheck = (exitCode: number, output: string) => {
  const Log = [{ Start: '', End: '', ExitCode: exitCode, Output: output }];
  return containerState(inspected({ ...STATE, Health: { Status: 'unhealthy', FailingStreak: 1, Log } }));
};

test('a container that was ended for its memory says so', () => {
  const State = { ...STATE, Status: 'exited', Running: false, ExitCode: 137, OOMKilled: true };
  expect(containerState(inspected(State, 3))).toEqual({
    status: 'exited',
    startedAt: '2026-01-01T00:00:00Z',
    exitCode: 137,
    outOfMemory: true,
    restartCount: 3,
    health: 'none',
    gateError: null,
    restartPolicy: 'always',
    networkIds: ['n1'],
    createdAt: '2025-12-31T23:59:59Z',
  });
});

test.each([
  ['that said no', 1, '', null],
  ['that was ended with the app', 137, '', null],
  ['that Docker could not start', -1, 'OCI runtime exec failed:\n fork', 'OCI runtime exec failed: fork'],
  ['that the runtime could not start', 126, '', 'exit code 126'],
  ['whose shell could not fork', 2, "sh: can't fork\n", "sh: can't fork"],
])('the gate error of a check %s', (_, exitCode, output, expected) => {
  expect(withCheck(exitCode, output).gateError).toBe(expected);
});
