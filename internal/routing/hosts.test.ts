import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  deploymentHost,
  generatedHosts,
  isAppName,
  isProjectName,
  parseCustomHost,
  readDeploymentHost,
} from './hosts.ts';

describe('app names', () => {
  test.each(['a', 'web', 'my-app-2', 'a'.repeat(40)])('%s is a name', (name) => {
    expect(isAppName(name)).toBe(true);
  });

  test.each([
    '',
    'A',
    '1web',
    '-web',
    'web-',
    'we_b',
    'wéb',
    'a.b',
    'a b',
    'a'.repeat(41),
    'api',
    'berth',
    'traefik',
  ])('"%s" is none', (name) => {
    expect(isAppName(name)).toBe(false);
  });
});

describe('generated hosts', () => {
  test('go from the plain name to the longest that says whose it is', () => {
    expect(
      generatedHosts({
        appName: 'web',
        projectName: 'shop',
        userHash: 'abc234',
        baseDomain: 'apps.example.org',
      }),
    ).toEqual(['web.apps.example.org', 'abc234-web.apps.example.org', 'abc234-shop-web.apps.example.org']);
  });

  test('never have a label over 63 characters', () => {
    const hosts = generatedHosts({
      appName: 'a'.repeat(40),
      projectName: 'p'.repeat(40),
      userHash: 'abc234',
      baseDomain: 'localhost',
    });
    expect(hosts).toHaveLength(2);
    for (const host of hosts) expect(host.split('.')[0]?.length).toBeLessThanOrEqual(63);
  });

  test('of one deployment name the app and the deployment', () => {
    const named = { appName: 'web', deploymentId: 'abcdefghij' };
    expect(deploymentHost({ ...named, baseDomain: 'localhost' })).toBe('web-abcdefghij.localhost');
    expect(readDeploymentHost('web-abcdefghij.localhost')).toEqual(named);
    expect(readDeploymentHost('my-web-abcdefghij.apps.example.org')).toEqual({ ...named, appName: 'my-web' });
  });

  test.each([
    'web.localhost',
    'abcdefghij.localhost',
    'web-1bcdefghij.localhost',
    'web-abcdefghijk.localhost',
  ])('%s is not of a deployment', (host) => {
    expect(readDeploymentHost(host)).toBeNull();
  });
});

describe('project names', () => {
  test.each(['default', 'a', 'p'.repeat(40)])('%s fits into the name of a network and of a host', (name) => {
    expect(isProjectName(name)).toBe(true);
    const hosts = generatedHosts({
      appName: 'a'.repeat(15),
      projectName: name,
      userHash: 'abc234',
      baseDomain: 'x',
    });
    expect(hosts).toHaveLength(3);
    expect(`abc234-${name}`).toMatch(/^[a-z0-9-]{1,63}$/);
  });

  test.each(['', 'A', '1a', '-a', 'a-', 'a_b', 'a.b', 'p'.repeat(41), 'traefik', 'host'])(
    '"%s" is none',
    (name) => {
      expect(isProjectName(name)).toBe(false);
    },
  );
});

describe('T26: a custom host', () => {
  test.each([
    ['Shop.Example.ORG', 'shop.example.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['a-b.c1.example', 'a-b.c1.example'],
  ])('%s is stored as %s', (text, host) => {
    expect(parseCustomHost(text)).toBe(host);
  });

  test.each([
    'a.com`) || PathPrefix(`/',
    'a.com,b.com',
    '{x:.*}',
    'a..b',
    '-a.com',
    'a-.com',
    `${'a'.repeat(64)}.com`,
    'a.com\nb.com',
    'xn--.com',
    '*.example.org',
    'example.org.',
    'localhost',
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '[::1]',
    'user@example.org',
    'example.org:80',
    'example.org/x',
    `${'a.'.repeat(130)}com`,
  ])('%j is refused', (text) => {
    expect(parseCustomHost(text)).toBeNull();
  });

  test('whatever is accepted cannot end the rule it stands in', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.string({ unit: 'grapheme' })), (text) => {
        const host = parseCustomHost(text);
        if (host !== null) expect(host).toMatch(/^[a-z0-9.-]+$/);
      }),
    );
  });
});
