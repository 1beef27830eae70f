import { describe, expect, test } from '@jest/globals';
import { traefikLabels } from './traefik-labels.ts';

const route = {
  appName: 'web',
  deploymentId: 'abcdefghij',
  baseDomain: 'localhost',
  hosts: ['web.localhost', 'shop.example.org'],
  port: 3000,
  networkName: 'abc234-default',
  sequence: 7,
};

describe('the labels of a release', () => {
  test('are two routers, one service and a retry, all named after the deployment', () => {
    expect(traefikLabels(route)).toEqual({
      'traefik.enable': 'true',
      'traefik.docker.network': 'abc234-default',
      'traefik.http.services.web-abcdefghij.loadbalancer.server.port': '3000',
      'traefik.http.middlewares.web-abcdefghij.retry.attempts': '3',
      'traefik.http.middlewares.web-abcdefghij.retry.initialinterval': '50ms',
      'traefik.http.routers.web-abcdefghij.rule': 'Host(`web-abcdefghij.localhost`)',
      'traefik.http.routers.web-abcdefghij.service': 'web-abcdefghij',
      'traefik.http.routers.web-abcdefghij.priority': '1007',
      'traefik.http.routers.web-abcdefghij.entrypoints': 'web',
      'traefik.http.routers.web-abcdefghij.middlewares': 'web-abcdefghij',
      'traefik.http.routers.web-abcdefghij-main.rule': 'Host(`web.localhost`) || Host(`shop.example.org`)',
      'traefik.http.routers.web-abcdefghij-main.service': 'web-abcdefghij',
      'traefik.http.routers.web-abcdefghij-main.priority': '1007',
      'traefik.http.routers.web-abcdefghij-main.entrypoints': 'web',
      'traefik.http.routers.web-abcdefghij-main.middlewares': 'web-abcdefghij',
    });
  });

  test('T29: of two deployments share no name', () => {
    const named = (labels: Record<string, string>) =>
      Object.keys(labels).filter((label) => label.startsWith('traefik.http.'));
    const others = new Set(named(traefikLabels({ ...route, deploymentId: 'bbbbbbbbbb', sequence: 8 })));
    expect(named(traefikLabels(route)).filter((label) => others.has(label))).toEqual([]);
  });

  test('without hosts of the app keep the own router only', () => {
    const labels = traefikLabels({ ...route, hosts: [] });
    expect(Object.keys(labels).some((label) => label.includes('-main'))).toBe(false);
  });

  test('T26: a host that could end the rule is refused even when it was stored', () => {
    expect(() => traefikLabels({ ...route, hosts: ['a.com`) || PathPrefix(`/'] })).toThrow('not a host name');
  });
});
