import { describe, expect, test } from '@jest/globals';
import { pushFailure, pushRequestFailure } from './push-failure.ts';

const HOST = 'registry.test:5000';

describe('what Docker says of a push becomes a cause and a way out', () => {
  test.each([
    [
      'Get "https://registry.test:5000/v2/": http: server gave HTTP response to HTTPS client',
      'add "registry.test:5000" to "insecure-registries"',
      false,
    ],
    [
      'Get "https://registry.test:5000/v2/": x509: certificate signed by unknown authority',
      '/etc/docker/certs.d/registry.test:5000/ca.crt',
      false,
    ],
    [
      'Get "https://registry.test:5000/v2/": tls: failed to verify certificate: x509: certificate has expired',
      'a certificate that Docker does not trust',
      false,
    ],
    ['no basic auth credentials', 'check REGISTRY_USER and REGISTRY_PASSWORD', false],
    ['unauthorized: authentication required', 'check REGISTRY_USER and REGISTRY_PASSWORD', false],
    [
      'Get "https://registry.test/v2/": unauthorized: incorrect username or password',
      'refuses the sign-in',
      false,
    ],
    ['unauthorized: project apps not found: project apps not found', 'does not know the project', false],
    ['denied: requested access to the resource is denied', 'does not let this user push there', false],
    ['unknown: The operation is unsupported. Repository is read only', 'does not let this user push', false],
    ['received unexpected HTTP status: 507 Insufficient Storage', 'has no space left', false],
    ['write /data/docker: no space left on device', 'has no space left', false],
    ['denied: Quota exceeded when processing the request of adding 12 MiB', 'raise the quota', false],
    ['error parsing HTTP 413 response body: invalid character', 'takes no layers of this size', false],
    [
      'Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused',
      'cannot be reached from this machine',
      true,
    ],
    [
      'Get "https://registry.test/v2/": dial tcp: lookup registry.test: no such host',
      'cannot be reached',
      true,
    ],
    ['Get "https://registry.test/v2/": dial tcp 10.0.0.5:443: i/o timeout', 'cannot be reached', true],
    ['Get "https://registry.test/v2/": EOF', 'cannot be reached', true],
    ['received unexpected HTTP status: 503 Service Unavailable', 'its own log says why', true],
    ['received unexpected HTTP status: 500 Internal Server Error', 'often its disk is full', true],
    ['something new', 'did not take the image', false],
  ])('%s', (words, remedy, mayPass) => {
    const failure = pushFailure(words, HOST);
    expect(failure.code).toBe('registry_push_failed');
    expect(failure.message).toContain(`The registry ${HOST} `);
    expect(failure.message).toContain(remedy);
    expect(failure.message).toContain(words);
    expect(failure.mayPass).toBe(mayPass);
  });
});

test('a daemon that is away is no fault of the registry', () => {
  const away = Object.assign(new Error('connect ENOENT /var/run/docker.sock'), { code: 'ENOENT' });
  expect(pushRequestFailure(away, HOST).code).toBe('docker_unavailable');
  const answer = Object.assign(new Error('(HTTP code 500) - unauthorized: no'), { statusCode: 500 });
  expect(pushRequestFailure(answer, HOST).code).toBe('registry_push_failed');
  expect(pushRequestFailure(new TypeError('oops'), HOST).code).toBe('internal');
});
