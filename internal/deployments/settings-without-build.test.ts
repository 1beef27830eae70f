import { expect, test } from '@jest/globals';
import type { ReleaseConfig } from './config-snapshot.ts';
import { settingsWithoutBuild } from './settings-without-build.ts';

const live = {
  repoUrl: 'https://github.com/acme/shop',
  rootDirectory: '.',
  dockerfilePath: null,
  buildCommand: null,
  startCommand: null,
  port: 3000,
  healthCheckPath: null,
  replicas: 1,
  memoryMb: 256,
  cpus: 1,
  drainSeconds: 10,
  pidsLimit: 512,
  hosts: ['shop.apps.test'],
  environment: [
    { key: 'COLOUR', value: 'red', scope: 'runtime' },
    { key: 'NPM_FLAGS', value: '--old', scope: 'build' },
    { key: 'REGION', value: 'north', scope: 'both' },
  ],
} as unknown as ReleaseConfig;

test('A13: what containers run with changes, what the image was built from stays', () => {
  const wanted: ReleaseConfig = {
    ...live,
    repoUrl: 'https://github.com/acme/other',
    buildCommand: 'make',
    startCommand: 'node server.js',
    pidsLimit: 64,
    port: 8080,
    replicas: 3,
    memoryMb: 512,
    hosts: ['shop.apps.test', 'shop.example.org'],
    environment: [
      { key: 'COLOUR', value: 'blue', scope: 'runtime' },
      { key: 'EXTRA', value: 'yes', scope: 'build' },
      { key: 'REGION', value: 'south', scope: 'both' },
    ],
  };
  expect(settingsWithoutBuild(wanted, live)).toEqual({
    ...live,
    startCommand: 'node server.js',
    pidsLimit: 64,
    port: 8080,
    replicas: 3,
    memoryMb: 512,
    hosts: ['shop.apps.test', 'shop.example.org'],
    environment: [
      { key: 'COLOUR', value: 'blue', scope: 'runtime' },
      { key: 'NPM_FLAGS', value: '--old', scope: 'build' },
      { key: 'REGION', value: 'south', scope: 'both' },
    ],
  });
});
