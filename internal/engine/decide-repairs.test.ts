import { describe, expect, test } from '@jest/globals';
import { decideRepairs, type ReleaseFacts, type SeenContainer, startsProcess } from './decide-repairs.ts';
import type { ContainerState } from './ports.ts';

const NETWORK = 'net-1';
const NOW = Date.parse('2026-11-21T00:01:00Z');

function container(
  state: Partial<ContainerState> = {},
  replica = 1,
  containerId = `c${replica}`,
): SeenContainer {
  return {
    containerId,
    containerName: `shop-${containerId}`,
    address: '10.89.1.2',
    deploymentId: 'q6wlnf4j3e',
    attempt: 1,
    appId: 'k3v5ahq2xd',
    replica,
    port: 3000,
    isGateClosed: false,
    state: {
      status: 'running',
      startedAt: '2026-11-21T00:00:00Z',
      exitCode: 0,
      outOfMemory: false,
      restartCount: 0,
      health: 'healthy',
      gateError: null,
      restartPolicy: 'always',
      networkIds: [NETWORK],
      createdAt: '2026-11-21T00:00:00Z',
      ...state,
    },
  };
}

/** Each repair in two words. */
function repairs(containers: SeenContainer[], facts: Partial<ReleaseFacts> = {}): string[] {
  return decideRepairs({ replicas: 1, networkId: NETWORK, containers, now: NOW, ...facts }).map((repair) => {
    if ('container' in repair) return `${repair.kind} ${repair.container.containerId}`;
    return 'replica' in repair ? `${repair.kind} ${repair.replica}` : repair.kind;
  });
}

describe('a live release', () => {
  test.each<[string, Partial<ContainerState>, string[]]>([
    ['that runs', {}, []],
    ['F39: that does not answer, or whose check holds untold', { health: 'unhealthy' }, ['end_hold c1']],
    ['that Docker starts again right now', { status: 'restarting' }, []],
    ['F39: that was stopped by hand', { status: 'exited', exitCode: 137 }, ['start c1']],
    ['F39: that was paused', { status: 'paused' }, ['unpause c1']],
    ['that was made and never started', { status: 'created', networkIds: [] }, ['start c1']],
    ['that Docker cannot start any more', { status: 'dead' }, ['replace c1']],
    ['that is being removed by hand', { status: 'removing' }, ['create 1']],
    [
      'F13: whose drain ended with the machine',
      { status: 'exited', restartPolicy: 'no' },
      ['start c1', 'keep_restarting c1'],
    ],
    [
      'that has just come back and does not listen yet',
      { health: 'starting', startedAt: '2026-11-21T00:00:45Z' },
      [],
    ],
    ['F17: whose check Docker has forgotten', { health: 'starting' }, ['restart_check c1']],
    ['whose restart policy was changed', { restartPolicy: 'unless-stopped' }, ['keep_restarting c1']],
    ['F41: that was taken out of its network', { networkIds: [] }, ['join_network c1']],
    ['F41: that is in a network of that name which is gone', { networkIds: ['old'] }, ['join_network c1']],
    [
      'F41: that was stopped, and its network removed',
      { status: 'exited', networkIds: ['old'] },
      ['join_network c1', 'start c1'],
    ],
  ])('%s', (_name, state, expected) => {
    expect(repairs([container(state)])).toEqual(expected);
  });

  test.each<[string, Partial<ContainerState>, string[]]>([
    ['and shows it', { health: 'unhealthy' }, ['open_gate c1']],
    ['and whose check does not tell yet', { health: 'healthy' }, ['open_gate c1']],
    ['and that was restarted since', { health: 'starting' }, ['open_gate c1']],
    ['and that has ended since', { status: 'exited' }, ['open_gate c1', 'start c1']],
    ['and that is made anew, with an open one', { status: 'dead' }, ['replace c1']],
  ])('F09: whose gate a stop has left closed %s', (_name, state, expected) => {
    expect(repairs([{ ...container(state), isGateClosed: true }])).toEqual(expected);
  });

  test('F38: whose container was removed by hand gets another', () => {
    expect(repairs([])).toEqual(['create 1']);
  });

  test('F41: whose network was removed gets another first, and then joins it', () => {
    expect(repairs([container()], { networkId: null })).toEqual(['make_network', 'join_network c1']);
    expect(repairs([], { networkId: null })).toEqual(['make_network', 'create 1']);
  });

  test('of three replicas gets the one that lacks, and the others are left alone', () => {
    expect(repairs([container({}, 1), container({}, 3)], { replicas: 3 })).toEqual(['create 2']);
  });

  test('keeps one container of each replica, the one that runs', () => {
    const renamed = container({ status: 'exited' }, 1, 'renamed');
    expect(repairs([renamed, container(), container({}, 2)])).toEqual(['remove renamed', 'remove c2']);
  });
});

test('only what starts a process waits for its time', () => {
  const all = decideRepairs({
    replicas: 5,
    networkId: null,
    now: NOW,
    containers: [
      container({ status: 'exited' }, 1),
      container({ status: 'dead' }, 2),
      container({ status: 'paused', restartPolicy: 'no' }, 3),
      container({}, 6),
    ],
  });
  const waiting = all.filter(startsProcess).map(({ kind }) => kind);
  expect(waiting).toEqual(['start', 'replace', 'create', 'create']);
  expect(all.filter((repair) => !startsProcess(repair)).map(({ kind }) => kind)).toEqual([
    'make_network',
    'remove',
    'join_network',
    'join_network',
    'unpause',
    'keep_restarting',
  ]);
});
