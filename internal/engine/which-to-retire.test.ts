import { expect, test } from '@jest/globals';
import { whichToRetire } from './which-to-retire.ts';

const container = (deploymentId: string, attempt: number, replica = 1) => ({
  containerId: `${deploymentId}-${attempt}-${replica}`,
  containerName: `web-${deploymentId}`,
  address: '10.89.0.2',
  deploymentId,
  attempt,
  appId: 'app',
  replica,
  port: 80,
});

test('all replicas of other deployments and of other attempts go, the release stays', () => {
  const all = [
    container('old', 1),
    container('old', 1, 2),
    container('new', 1),
    container('new', 2),
    container('new', 2, 2),
  ];
  const going = whichToRetire(all, { deploymentId: 'new', attempt: 2 });
  expect(going.map((found) => found.containerId)).toEqual(['old-1-1', 'old-1-2', 'new-1-1']);
});
