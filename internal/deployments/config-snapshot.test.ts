import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { releaseConfig } from '../../test/support/release-config.ts';
import { SealBroken, SealedBox } from '../secrets/sealed-box.ts';
import { Secret } from '../secrets/secret.ts';
import { changedSettings, openSnapshot, sealSnapshot } from './config-snapshot.ts';
import { buildArguments, buildSecrets, runtimeEnvironment } from './release-environment.ts';
import { secretsOf } from './release-secrets.ts';

const box = new SealedBox(new Secret(randomBytes(32).toString('base64')));
const config = releaseConfig({
  port: 3000,
  hosts: ['shop.apps.test'],
  environment: [
    { key: 'BOTH', value: 'in-both', scope: 'both' },
    { key: 'BUILD', value: 'in-build', scope: 'build' },
    { key: 'RUN', value: 'at-run', scope: 'runtime' },
    { key: '__proto__', value: 'odd name', scope: 'both' },
  ],
});

test('a snapshot opens as it was sealed, in its own row', () => {
  const sealed = sealSnapshot(box, 'q6wlnf4j3e', config);
  expect(openSnapshot(box, 'q6wlnf4j3e', sealed)).toEqual(config);
  expect(() => openSnapshot(box, 'another', sealed)).toThrow(SealBroken);
});

test('a snapshot of before scopes opens: its environment was for run time', () => {
  const before = { ...config, environment: { B: '2', A: '1' } };
  const sealed = box.seal(JSON.stringify(before), 'deployments:q6wlnf4j3e:config_snapshot');
  expect(openSnapshot(box, 'q6wlnf4j3e', sealed).environment).toEqual([
    { key: 'B', value: '2', scope: 'runtime' },
    { key: 'A', value: '1', scope: 'runtime' },
  ]);
});

test('containers get what is for run time, builds what is for them, under any name', () => {
  expect(Object.entries(runtimeEnvironment(config))).toEqual([
    ['BOTH', 'in-both'],
    ['RUN', 'at-run'],
    ['__proto__', 'odd name'],
  ]);
  expect(Object.entries(buildArguments(config))).toEqual([
    ['BOTH', 'in-both'],
    ['BUILD', 'in-build'],
    ['__proto__', 'odd name'],
  ]);
  expect(Object.keys(buildSecrets(config))).toEqual(['BOTH', 'BUILD', 'RUN', '__proto__']);
});

test('T22: a row with a name that means something to the builders reaches no build', () => {
  const environment = [{ key: 'BUILDKIT_SYNTAX', value: 'evil/frontend', scope: 'both' }] as const;
  expect(buildArguments({ environment })).toEqual({});
  expect(runtimeEnvironment({ environment })).toEqual({ BUILDKIT_SYNTAX: 'evil/frontend' });
});

test('T24: values of every scope are secrets of the log', () => {
  expect(secretsOf(config).map((secret) => secret.reveal())).toEqual([
    'in-both',
    'in-build',
    'at-run',
    'odd name',
  ]);
});

test('what differs is told by the names of the API', () => {
  expect(changedSettings(config, { ...config, memoryMb: 256, environment: [] })).toEqual([
    'memory_mb',
    'environment',
  ]);
  expect(changedSettings(config, structuredClone(config))).toEqual([]);
});
