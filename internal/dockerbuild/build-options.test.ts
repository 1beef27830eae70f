import { expect, test } from '@jest/globals';
import { buildOptions, forbiddenLabels, narrowed } from './build-options.ts';

const build = {
  builder: 'classic',
  tag: 'berth/web:dep1',
  dockerfile: '.berth.Dockerfile',
  labels: { 'berth.app': 'app1' },
  buildArguments: {},
  limits: {
    timeoutSeconds: 60,
    silenceSeconds: 30,
    memoryMb: 512,
    cpus: 1.5,
    pids: 100,
    diskMb: 1000,
    contextMaxMb: 10,
    freeDiskMb: 100,
  },
  target: null,
  fresh: 'cached',
} as const;

test('T17, T22: this, and nothing else, is said to the daemon', () => {
  expect(buildOptions(build)).toEqual({
    t: 'berth/web:dep1',
    dockerfile: '.berth.Dockerfile',
    labels: { 'berth.app': 'app1' },
    rm: true,
    forcerm: true,
    memory: 536_870_912,
    memswap: 536_870_912,
    cpuperiod: 100_000,
    cpushares: 64,
    cpuquota: 150_000,
  });
});

test('arguments of the build are said as they are, under that one name', () => {
  const buildArguments = { networkmode: 'host', remote: 'a=b "$c"\n' };
  expect(buildOptions({ ...build, buildArguments })).toEqual({
    ...buildOptions(build),
    buildargs: buildArguments,
  });
});

test.each([
  ['uncached', { nocache: true }],
  ['pulled', { nocache: true, pull: true }],
] as const)('a build that is %s says so', (fresh, options) => {
  expect(buildOptions({ ...build, fresh })).toEqual({ ...buildOptions(build), ...options });
});

test('BuildKit is asked for by its number', () => {
  expect(buildOptions({ ...build, builder: 'buildkit' })).toEqual({ ...buildOptions(build), version: 2 });
});

test('T27: labels of the platform are its own, in whatever letters', () => {
  const ours = { 'berth.app': 'app1', 'berth.instance': 'i' };
  const found = {
    ...ours,
    'berth.app': 'victim',
    'BERTH.replica': '1',
    'Traefik.enable': 'true',
    'com.docker.compose.project': 'x',
    traefik: 'no',
    berthold: 'no',
    'org.opencontainers.image.title': 'no',
  };
  expect(forbiddenLabels(found, ours)).toEqual([
    'BERTH.replica',
    'Traefik.enable',
    'berth.app',
    'com.docker.compose.project',
  ]);
  expect(forbiddenLabels(ours, ours)).toEqual([]);
});

test('a stage that is asked for is the target', () => {
  expect(buildOptions({ ...build, target: 'web' })).toMatchObject({ target: 'web' });
  expect(buildOptions(build)).not.toHaveProperty('target');
});

test('T21: an app narrows the limits of its builds, and never widens them', () => {
  const { limits } = build;
  expect(narrowed(limits, { memoryMb: 64, timeoutSeconds: null })).toEqual({ ...limits, memoryMb: 64 });
  const less = { timeoutSeconds: 6, silenceSeconds: 3, memoryMb: 64, cpus: 0.5, pids: 10, diskMb: 1 };
  expect(narrowed(limits, less)).toEqual({ ...limits, ...less });
  const more = Object.fromEntries(Object.keys(less).map((limit) => [limit, 100_000]));
  expect(narrowed(limits, more)).toEqual(limits);
  const none = Object.fromEntries(Object.keys(less).map((limit) => [limit, null]));
  expect(narrowed(limits, none)).toEqual(limits);
  expect(narrowed(limits, undefined)).toEqual(limits);
});
