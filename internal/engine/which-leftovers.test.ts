import { describe, expect, test } from '@jest/globals';
import type { RunningContainer } from './ports.ts';
import {
  type DeploymentFacts,
  leftoverContainers,
  leftoverFolders,
  leftoverGates,
  leftoverNetworks,
} from './which-leftovers.ts';

const container = (deploymentId: string, attempt = 1): RunningContainer => ({
  containerId: `${deploymentId}-${attempt}`,
  containerName: `web-${deploymentId}`,
  address: '10.89.0.2',
  deploymentId,
  attempt,
  appId: 'app',
  replica: 1,
  port: 80,
});
const facts = (of: Record<string, Partial<DeploymentFacts>>) =>
  new Map(
    Object.entries(of).map(([id, some]) => [
      id,
      { inFlight: false, isLive: false, candidateAttempt: 1, ...some },
    ]),
  );
const nobody = new Set<string>();

describe('containers that no row explains', () => {
  test('are those of ended deployments and of other attempts of the live one', () => {
    const all = [container('live'), container('live', 2), container('failed')];
    const left = leftoverContainers(all, facts({ live: { isLive: true }, failed: {} }), nobody);
    expect(left.map((found) => found.containerId)).toEqual(['live-2', 'failed-1']);
  });

  test('are none while a worker has the deployment, or another one of the app', () => {
    expect(leftoverContainers([container('a')], facts({ a: { inFlight: true } }), nobody)).toEqual([]);
    expect(leftoverContainers([container('a')], facts({ a: {} }), new Set(['app']))).toEqual([]);
  });

  test('F42: are never those without any row', () => {
    expect(leftoverContainers([container('unknown')], facts({}), nobody)).toEqual([]);
  });
});

describe('networks', () => {
  const ofProjects = new Set(['abc234-shop']);
  const names = ['abc234-shop', 'abc234-gone'];

  test('go when no project has them', () => {
    const known = facts({ live: { isLive: true } });
    expect(leftoverNetworks(names, ofProjects, [container('live')], known)).toEqual(['abc234-gone']);
    expect(leftoverNetworks(names, ofProjects, [], known)).toEqual(['abc234-gone']);
  });

  test('F42: stay while there is a container without any row', () => {
    expect(leftoverNetworks(names, ofProjects, [container('unknown')], facts({}))).toEqual([]);
  });
});

describe('folders', () => {
  test('of clones go once the deployment is not under way, row or no row', () => {
    expect(leftoverFolders(['a', 'b', 'c'], facts({ a: { inFlight: true }, b: { isLive: true } }))).toEqual([
      'b',
      'c',
    ]);
  });

  test('of gates stay as long as a container has them mounted', () => {
    const folders = ['a', 'b', 'c'].map((deploymentId) => ({ deploymentId, attempt: 1, replica: 1 }));
    const rows = facts({ a: {}, c: { inFlight: true } });
    expect(leftoverGates(folders, rows, [container('b')])).toEqual([folders[0]]);
  });

  test('F05: of gates go with an attempt that had no container yet, though another one of it serves', () => {
    const folders = [1, 2].map((attempt) => ({ deploymentId: 'live', attempt, replica: 1 }));
    const rows = facts({ live: { isLive: true, candidateAttempt: 2 } });
    expect(leftoverGates(folders, rows, [container('live', 2)])).toEqual([folders[0]]);
    expect(leftoverGates(folders, rows, [])).toEqual([folders[0]]);
  });
});
