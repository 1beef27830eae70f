import { expect, test } from '@jest/globals';
import { isPassing, type PullTrouble, readPullTrouble } from './pull-trouble.ts';

test.each<[PullTrouble, string]>([
  ['not_found', 'manifest for node:99 not found: manifest unknown: manifest unknown'],
  ['not_found', 'failed to solve: docker.io/library/node:99: not found'],
  ['not_found', 'name unknown: repository name not known to registry'],
  [
    'forbidden',
    "pull access denied for nobody/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
  ],
  ['forbidden', 'Head "https://r.example/v2/x/manifests/1": unauthorized: authentication required'],
  ['forbidden', 'failed to resolve reference: unexpected status code [manifests 1]: 403 Forbidden'],
  ['rate_limited', 'toomanyrequests: You have reached your pull rate limit.'],
  ['rate_limited', 'received unexpected HTTP status: 429 Too Many Requests'],
  [
    'registry_away',
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
  ],
  ['registry_away', 'Get "https://r.example/v2/": dial tcp 127.0.0.1:1: connect: connection refused'],
  ['registry_away', 'Get "https://r.example/v2/": net/http: TLS handshake timeout'],
  ['registry_away', 'received unexpected HTTP status: 503 Service Unavailable'],
  ['registry_away', 'unexpected status from HEAD request to http://r/v2/x/manifests/1: 502 Bad Gateway'],
  ['registry_away', 'error pulling image configuration: unexpected EOF'],
  ['other', 'Get "https://r.example/v2/": x509: certificate signed by unknown authority'],
  ['other', 'invalid reference format'],
])('F47: %s: %s', (trouble, words) => {
  expect(readPullTrouble(words)).toBe(trouble);
});

test('F47: only what may pass by itself is tried again', () => {
  const all: PullTrouble[] = ['not_found', 'forbidden', 'rate_limited', 'registry_away', 'other'];
  expect(all.filter(isPassing)).toEqual(['rate_limited', 'registry_away']);
});
