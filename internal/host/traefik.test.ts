import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { renderTraefik, type TraefikOptions } from './traefik.ts';

const template = (name: string) => readFileSync(new URL(`../../traefik/${name}`, import.meta.url), 'utf8');
const templates = { static: template('traefik.yml'), dynamic: template('dynamic.yml') };
const options: TraefikOptions = {
  instance: 'k3jx5q2mab',
  httpPort: 8000,
  apiPort: 8082,
  dockerHost: 'unix:///var/run/docker.sock',
  platformHost: 'berth.localhost',
  apiAddress: '127.0.0.1:8080',
  fallbackPort: 8081,
};

describe('renderTraefik', () => {
  const files = renderTraefik(templates, options, '/data/traefik');

  test.each([
    ['apps are served on HTTP_PORT', 'address: ":8000"'],
    ['its API listens on loopback only', 'address: "127.0.0.1:8082"'],
    ['only containers of this instance are routed', 'constraints: "Label(`berth.instance`,`k3jx5q2mab`)"'],
    ['containers are routed only when they say so', 'exposedByDefault: false'],
    ['a healthy candidate is seen within 0.1 s', 'providersThrottleDuration: 100ms'],
    ['idle connections to apps go after 2 s, so that drains end', 'idleConnTimeout: 2s'],
    ['the daemon is the one of DOCKER_HOST', 'endpoint: "unix:///var/run/docker.sock"'],
    ['the routes without labels come from beside it', 'filename: "/data/traefik/dynamic.yml"'],
    ['nothing is told to its makers', 'sendAnonymousUsage: false'],
    ['and no update is looked for', 'checkNewVersion: false'],
  ])('static: %s', (_name, line) => {
    expect(files.static).toContain(line);
  });

  test.each([
    ['the platform has its host', 'rule: "Host(`berth.localhost`)"'],
    ['which goes to the API', 'url: "http://127.0.0.1:8080"'],
    ['everything else goes to the fallback', 'url: "http://127.0.0.1:8081"'],
    ['below every app (A17)', 'priority: -1'],
  ])('dynamic: %s', (_name, line) => {
    expect(files.dynamic).toContain(line);
  });

  test('AUTH=none: the platform has no route, neither by name nor by address', () => {
    const { dynamic } = renderTraefik(templates, { ...options, platformHost: null }, '/data/traefik');
    const entries = dynamic.replace(/^ *#.*$/gm, '');
    expect(entries).not.toMatch(/platform|8080/);
    expect(entries.match(/rule:/g)).toHaveLength(1);
    expect(entries).toContain('url: "http://127.0.0.1:8081"');
  });

  test('AUTH=none: a template that lost its marks is refused', () => {
    const unmarked = { ...templates, dynamic: templates.dynamic.replace('# platform:', '#') };
    expect(() => renderTraefik(unmarked, { ...options, platformHost: null }, '/data')).toThrow('mark');
  });

  test('no placeholder is left over', () => {
    expect(files.static + files.dynamic).not.toMatch(/@\w+@/);
  });

  test('T30: forwarded headers are trusted from nobody', () => {
    expect(files.static).not.toMatch(/trustedIPs|forwardedHeaders:/);
  });

  test.each(['a`b', 'a"b', 'a\nb', 'a b', '@X@'])(
    'a value that could end its quotes is refused: %j',
    (host) => {
      expect(() => renderTraefik(templates, { ...options, platformHost: host }, '/data')).toThrow(
        'PLATFORM_HOST',
      );
    },
  );

  test('a placeholder without a value is refused', () => {
    expect(() => renderTraefik({ ...templates, static: 'x: "@NEW@"' }, options, '/data')).toThrow('NEW');
  });
});
