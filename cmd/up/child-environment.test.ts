import { expect, test } from '@jest/globals';
import { loadStartSettings } from '../../internal/config/start-settings.ts';
import { childEnvironment } from './child-environment.ts';

const found = {
  secrets: { ENCRYPTION_KEY: 'made-key', SESSION_SECRET: 'made-session' },
  databaseUrl: 'postgresql://made',
  httpPort: 8000,
  nodeImage: null,
  sampleGitHost: null,
};
const environmentFor = (given: Record<string, string>, more: Partial<typeof found> | object = {}) =>
  childEnvironment(loadStartSettings({ DATA_DIR: '/data', ...given }), { ...found, ...more });

test('T77: secrets that were made once are used where none is given', () => {
  expect(environmentFor({ SESSION_SECRET: '' })).toMatchObject(found.secrets);
});

test('a secret of the environment wins over the made one', () => {
  expect(environmentFor({ ENCRYPTION_KEY: 'own' })).toMatchObject({
    ENCRYPTION_KEY: 'own',
    SESSION_SECRET: 'made-session',
  });
});

test('T05: a private Git host is allowed only by setting, or while the sample is served', () => {
  expect(environmentFor({})['GIT_PRIVATE_HOSTS']).toBe('');
  const sample = { sampleGitHost: '127.0.0.1:8083' };
  expect(environmentFor({ GIT_PRIVATE_HOSTS: 'git.lan:80' }, sample)['GIT_PRIVATE_HOSTS']).toBe(
    'git.lan:80,127.0.0.1:8083',
  );
});

test('the base image is set only when one was chosen', () => {
  expect(environmentFor({})).not.toHaveProperty('NODE_IMAGE');
  expect(environmentFor({}, { nodeImage: 'local/node:20' })['NODE_IMAGE']).toBe('local/node:20');
});
