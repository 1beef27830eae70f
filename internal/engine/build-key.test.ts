import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { releaseConfig } from '../../test/support/release-config.ts';
import type { ReleaseConfig } from '../deployments/config-snapshot.ts';
import { buildKey } from './build-key.ts';

const COMMIT = 'a'.repeat(40);
const images = { node: 'node:20', python: 'python:3', go: 'golang:1', static: 'nginx:1' };
const config = releaseConfig({
  repoUrl: 'https://github.com/acme/shop.git',
  hosts: ['shop.localhost'],
  environment: [
    { key: 'API', value: 'https://one', scope: 'build' },
    { key: 'BOTH', value: 'x', scope: 'both' },
    { key: 'PASSWORD', value: 'secret', scope: 'runtime' },
  ],
});
const digest = (text: string) => createHmac('sha256', 'key').update(text).digest('base64url');
const keyOf = (change: Partial<ReleaseConfig> = {}, { baseImages = images, commit = COMMIT } = {}) =>
  buildKey({ config: { ...config, ...change }, digest }, baseImages, commit);
const environment = (change: Partial<ReleaseConfig['environment'][number]>, at: number) =>
  config.environment.map((variable, index) => (index === at ? { ...variable, ...change } : variable));

describe('another build', () => {
  test.each<[string, Partial<ReleaseConfig>]>([
    ['repository', { repoUrl: 'https://github.com/acme/other.git' }],
    ['root directory', { rootDirectory: 'apps/web' }],
    ['Dockerfile', { dockerfilePath: 'Dockerfile' }],
    ['stage', { dockerTarget: 'prod' }],
    ['framework', { framework: 'static' }],
    ['build command', { buildCommand: 'make' }],
    ['start command', { startCommand: 'node x.js' }],
    ['output directory', { outputDirectory: 'dist' }],
    ['port', { port: 3000 }],
    ['submodules', { submodules: true }],
    ['large files', { lfs: true }],
    ['value of a build variable', { environment: environment({ value: 'https://two' }, 0) }],
    ['value of a variable for both', { environment: environment({ value: 'y' }, 1) }],
    ['name of a build variable', { environment: environment({ key: 'URL' }, 0) }],
    ['scope that takes a variable from the build', { environment: environment({ scope: 'runtime' }, 1) }],
    ['scope that gives a variable to it', { environment: environment({ scope: 'both' }, 2) }],
  ])('is one with another %s', (_name, change) => {
    expect(keyOf(change)).not.toBe(keyOf());
  });

  test('is one of another commit, or on other base images', () => {
    expect(keyOf({}, { commit: 'b'.repeat(40) })).not.toBe(keyOf());
    expect(keyOf({}, { baseImages: { ...images, node: 'node:22' } })).not.toBe(keyOf());
  });
});

test.each<[string, Partial<ReleaseConfig>]>([
  ['what only containers get', { environment: environment({ value: 'changed' }, 2) }],
  ['how many run, and with what', { replicas: 2, memoryMb: 256, cpus: 2, pidsLimit: 64, drainSeconds: 1 }],
  ['hosts and the health check', { hosts: [], healthCheckPath: '/health' }],
  ['the release command', { releaseCommand: 'migrate' }],
  ['limits of the build', { buildMemoryMb: 64, buildTimeoutSeconds: 9 }],
  ['the order of variables', { environment: config.environment.toReversed() }],
])('the same build: %s', (_name, change) => {
  expect(keyOf(change)).toBe(keyOf());
});

test('A12: no value can be found from it without the key', () => {
  const texts: string[] = [];
  const spying = (text: string) => {
    texts.push(text);
    return digest(text);
  };
  expect(buildKey({ config, digest: spying }, images, COMMIT)).toBe(digest(texts[0] ?? ''));
  expect(keyOf()).toMatch(/^[\w-]{43}$/);
});
