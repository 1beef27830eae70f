import { expect, test } from '@jest/globals';
import { releaseConfig } from '../../test/support/release-config.ts';
import { type ReleasePlan, replicaName, startRequest } from './start-request.ts';

const plan: ReleasePlan = {
  ref: {
    deploymentId: 'q6wlnf4j3e',
    attempt: 2,
    appId: 'k3v5ahq2xd',
    appName: 'shop',
    projectId: 'b7mzq4rt2c',
    ownerHash: 'abc234',
  },
  config: releaseConfig({
    replicas: 2,
    memoryMb: 256,
    cpus: 0.5,
    hosts: ['shop.apps.test'],
    environment: [
      { key: 'GREETING', value: 'hello', scope: 'runtime' },
      { key: 'MODE', value: 'live', scope: 'both' },
      { key: 'VITE_API_URL', value: 'https://api.test', scope: 'build' },
    ],
  }),
  imageId: 'sha256:9b1c',
  port: 3000,
  network: { name: 'abc234-default', subnet: '10.89.1.0/24' },
  baseDomain: 'apps.test',
  routeSequence: 7,
};

test('a container of a release is made of its row and its snapshot, and of nothing else', () => {
  const request = startRequest(plan, { replica: 2, address: '10.89.1.3', gate: 'closed' });
  expect(request).toMatchObject({
    containerName: 'shop-q6wlnf4j3e-2-2',
    imageId: 'sha256:9b1c',
    address: '10.89.1.3',
    alias: 'shop',
    environment: { GREETING: 'hello', MODE: 'live' },
    limits: { memoryMb: 256, cpus: 0.5, pids: 512 },
  });
  expect(request.routingLabels).toMatchObject({
    'traefik.http.routers.shop-q6wlnf4j3e-main.rule': 'Host(`shop.apps.test`)',
    'traefik.http.routers.shop-q6wlnf4j3e-main.priority': '1007',
  });
});

test('replicas differ in name, number and address only', () => {
  const one = startRequest(plan, { replica: 1, address: '10.89.1.2', gate: 'closed' });
  const two = startRequest(plan, { replica: 2, address: '10.89.1.3', gate: 'closed' });
  expect({ ...two, replica: 1, containerName: replicaName(plan, 1), address: '10.89.1.2' }).toEqual(one);
});
