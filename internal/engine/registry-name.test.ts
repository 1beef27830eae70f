import { expect, test } from '@jest/globals';
import { registryName } from './registry-name.ts';

const image = { ownerHash: 'k3v5ah', projectName: 'store', appName: 'shop', commitSha: 'a'.repeat(40) };

test.each([
  [{ host: 'registry.example.org', project: null }, 'registry.example.org/k3v5ah-store/shop'],
  [{ host: '10.0.0.5:5000', project: 'apps/eu' }, '10.0.0.5:5000/apps/eu/k3v5ah-store/shop'],
])('%j → %s', (place, name) => {
  expect(registryName(place, image)).toBe(`${name}:${image.commitSha}`);
});
