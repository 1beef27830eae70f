import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { InvalidConfig, loadConfig } from './load-config.ts';
import { DEFAULT_NODE_IMAGE, loadStartSettings } from './start-settings.ts';

test('every problem is named at once', () => {
  const load = () => loadStartSettings({ PORT: '0', DOCKER_HOST: 'tcp://far:2375', DATA_DIR: 'here' });
  expect(load).toThrow(InvalidConfig);
  expect(load).toThrow(/DATA_DIR .*DOCKER_HOST .*PORT /s);
});

test.each([{ PUBLIC_URL: 'https://berth.example.org' }, { API_ADDRESS: '0.0.0.0' }])(
  'T53: bin/up is not started with AUTH=none and %j',
  (more) => {
    expect(() => loadStartSettings({ AUTH: 'none', ...more })).toThrow(/with AUTH=none/);
  },
);

test.each(['http://0.0.0.0:8082', 'http://10.0.0.1:8082', 'https://127.0.0.1:8082', 'http://127.0.0.1'])(
  "T34: Traefik's API is never started at %s",
  (url) => {
    expect(() => loadStartSettings({ TRAEFIK_API_URL: url })).toThrow('TRAEFIK_API_URL');
  },
);

test('what bin/up and the processes both read has the same default in both', () => {
  const secret = () => randomBytes(32).toString('base64');
  const start = loadStartSettings({});
  const config = loadConfig({
    DATABASE_URL: 'postgresql://127.0.0.1/berth',
    ENCRYPTION_KEY: secret(),
    SESSION_SECRET: secret(),
  });
  const { auth, dataDir, dockerHost, baseDomain, apiPort, apiAddress, fallbackPort, traefikApiUrl } = config;
  const shared = { auth, dataDir, dockerHost, baseDomain, apiPort, apiAddress, fallbackPort, traefikApiUrl };
  expect(start).toMatchObject(shared);
  expect(DEFAULT_NODE_IMAGE).toBe(config.baseImages.node);
});
