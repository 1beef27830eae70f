import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { RegistrySettings } from './config.ts';
import { InvalidConfig, loadConfig } from './load-config.ts';

const enough = {
  DATABASE_URL: 'postgresql://berth:hunter2@127.0.0.1:5432/berth',
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  SESSION_SECRET: randomBytes(32).toString('base64'),
};
const registry = (changes: Record<string, string>): RegistrySettings | null =>
  loadConfig({ ...enough, ...changes }).registry;

/** The problems, or none. */
function problemsWith(changes: Record<string, string>): readonly string[] {
  try {
    registry(changes);
    return [];
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
}

describe('a registry', () => {
  test('is none when nothing is set', () => {
    expect(registry({})).toBeNull();
  });

  test.each([
    ['registry.example.org', 'registry.example.org'],
    ['https://registry.example.org/', 'registry.example.org'],
    ['http://10.0.0.5:5000', '10.0.0.5:5000'],
    ['Registry.Example.org:443', 'registry.example.org:443'],
    ['localhost', 'localhost'],
    ['registry:5000', 'registry:5000'],
  ])('%s is the host %s', (REGISTRY_URL, host) => {
    expect(registry({ REGISTRY_URL })).toEqual({
      host,
      project: null,
      credential: null,
      timeoutSeconds: 600,
    });
    expect(registry({ HARBOR_URL: REGISTRY_URL })).toMatchObject({ host });
  });

  test('has a project, and credentials that print as nothing', () => {
    const settings = registry({
      REGISTRY_URL: 'harbor.example.org',
      HARBOR_PROJECT: '/apps/',
      REGISTRY_USER: 'robot$berth',
      REGISTRY_PASSWORD: 'hunter22',
      REGISTRY_TIMEOUT_SECONDS: '30',
    });
    expect(settings).toMatchObject({
      project: 'apps',
      timeoutSeconds: 30,
      credential: { user: 'robot$berth' },
    });
    expect(settings?.credential?.password.reveal()).toBe('hunter22');
    expect(JSON.stringify(settings) + inspect(settings, { depth: 9 })).not.toContain('hunter22');
  });

  test.each([
    ['registry', 'must be a host'],
    ['https://registry.example.org/v2', 'must be a host'],
    ['https://me:pw@registry.example.org', 'must be a host'],
    ['ftp://registry.example.org', 'must be a host'],
    ['registry example.org', 'must be a host'],
    ['docker.io', 'must not be Docker Hub'],
    ['https://hub.docker.com', 'must not be Docker Hub'],
  ])('%s is none: %s', (REGISTRY_URL, problem) => {
    expect(problemsWith({ REGISTRY_URL })).toEqual([expect.stringContaining(`REGISTRY_URL ${problem}`)]);
    expect(problemsWith({ REGISTRY_URL }).join()).not.toContain('pw');
  });

  test.each([
    [{ REGISTRY_PROJECT: 'apps' }, ['REGISTRY_URL is missing; REGISTRY_PROJECT needs it']],
    [
      { REGISTRY_URL: 'r.test', REGISTRY_USER: 'me' },
      ['REGISTRY_PASSWORD is missing; REGISTRY_USER needs it'],
    ],
    [
      { REGISTRY_PASSWORD: 'pw' },
      [
        'REGISTRY_USER is missing; REGISTRY_PASSWORD needs it',
        'REGISTRY_URL is missing; REGISTRY_PASSWORD needs it',
      ],
    ],
    [
      { REGISTRY_URL: 'a.test', HARBOR_URL: 'b.test' },
      ['HARBOR_URL must not differ from REGISTRY_URL; it is another name of it'],
    ],
  ])('%j is told as a half', (changes, problems) => {
    expect(problemsWith(changes)).toEqual(problems);
  });

  test.each(['Apps', 'a//b', '-a', 'a b'])('%s is no project', (REGISTRY_PROJECT) => {
    expect(problemsWith({ REGISTRY_URL: 'r.test', REGISTRY_PROJECT })).toEqual([
      expect.stringContaining('REGISTRY_PROJECT must be lower-case letters'),
    ]);
  });
});
