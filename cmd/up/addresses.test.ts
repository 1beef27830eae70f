import { expect, test } from '@jest/globals';
import { loadStartSettings } from '../../internal/config/start-settings.ts';
import { apiUrl, platformHost } from './addresses.ts';

test.each([
  [{}, 'http://127.0.0.1:8080'],
  [{ API_ADDRESS: '0.0.0.0', PORT: '9090' }, 'http://127.0.0.1:9090'],
  [{ API_ADDRESS: '::' }, 'http://127.0.0.1:8080'],
  [{ API_ADDRESS: '10.1.2.3' }, 'http://10.1.2.3:8080'],
  [{ API_ADDRESS: 'fd00::1' }, 'http://[fd00::1]:8080'],
])('with %j this host reaches the API at %s', (environment, url) => {
  expect(apiUrl(loadStartSettings(environment))).toBe(url);
});

test.each([
  [{}, 'berth.localhost'],
  [{ BASE_DOMAIN: 'apps.example.org' }, 'berth.apps.example.org'],
  [{ PUBLIC_URL: 'https://paas.example.org:8443' }, 'paas.example.org'],
  [{ AUTH: 'none' }, null],
])('with %j the platform is routed at %s', (environment, host) => {
  expect(platformHost(loadStartSettings(environment))).toBe(host);
});
