import { expect, test } from '@jest/globals';
import { type Stray, type StrayApp, sortStrays } from './which-strays.ts';

function stray(containerId: string, change: Partial<Stray> = {}): Stray {
  return {
    containerId,
    containerName: `web-${containerId}`,
    address: '10.89.0.2',
    deploymentId: 'newer',
    attempt: 1,
    appId: 'app',
    replica: 1,
    port: 80,
    isRunning: true,
    createdAt: 2_000,
    ...change,
  };
}
const APP: StrayApp = { shouldRun: true, liveSince: 1_000 };

test.each<[string, Stray[], StrayApp | null, string[]]>([
  ['F42: of an app that no row knows', [stray('a')], null, []],
  ['F51: newer than the release the rows know', [stray('a')], APP, ['a']],
  ['F51: of an app whose rows know no release yet', [stray('a')], { ...APP, liveSince: null }, ['a']],
  ['F51: with all its replicas', [stray('a'), stray('b', { replica: 2 })], APP, ['a', 'b']],
  ['older than the release the rows know', [stray('a', { createdAt: 500 })], APP, []],
  ['of an app that is to stop', [stray('a')], { ...APP, shouldRun: false }, []],
  ['that does not run', [stray('a', { isRunning: false })], APP, []],
  [
    'the newest of several, and of that its last attempt',
    [
      stray('a'),
      stray('b', { deploymentId: 'newest', createdAt: 3_000 }),
      stray('c', { deploymentId: 'newest', createdAt: 4_000, attempt: 2 }),
    ],
    APP,
    ['c'],
  ],
])('a container without a row serves on: %s', (_name, strays, app, serving) => {
  const sorted = sortStrays(strays, new Map(app ? [['app', app]] : []));
  expect(sorted.serving.map(({ containerId }) => containerId)).toEqual(serving);
  expect([...sorted.serving, ...sorted.toQuarantine]).toHaveLength(strays.length);
});
