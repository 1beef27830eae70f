import { expect, test } from '@jest/globals';
import type { CachedLayer } from '../ports.ts';
import { cacheBytes, layersToRemove } from './choose-layers.ts';

const MB = 1024 * 1024;
/** Two chains: a ← b ← c of one app, d ← e of another, and k, which an image needs; older from left to right. */
function layer(
  imageId: string,
  parentId: string | null,
  age: number,
  change: Partial<CachedLayer> = {},
): CachedLayer {
  const createdAt = new Date(1_000_000 - age);
  return { imageId, parentId, appId: 'app1', bytes: 10 * MB, createdAt, isNeeded: false, ...change };
}
const layers = [
  layer('k', null, 900, { isNeeded: true }),
  layer('a', 'k', 500),
  layer('b', 'a', 400),
  layer('c', 'b', 100),
  layer('d', null, 300, { appId: 'app2' }),
  layer('e', 'd', 200, { appId: 'app2' }),
];
const remove = (maxMegabytes: number, busy: string[] = []) =>
  layersToRemove(layers, { maxBytes: maxMegabytes * MB, busyApps: new Set(busy) }).map(
    ({ imageId }) => imageId,
  );

test('what an image needs is not counted', () => {
  expect(cacheBytes(layers)).toBe(50 * MB);
});

test.each([
  ['enough room', 50, []],
  ['the oldest that nothing stands on', 40, ['e']],
  ['then what it stood on', 30, ['e', 'd']],
  ['a chain from its end', 10, ['e', 'd', 'c', 'b']],
  ['everything but what is needed', 0, ['e', 'd', 'c', 'b', 'a']],
])('%s', (_name, maxMegabytes, expected) => {
  expect(remove(maxMegabytes)).toEqual(expected);
});

test('layers of an app that builds stay', () => {
  expect(remove(0, ['app2'])).toEqual(['c', 'b', 'a']);
  expect(remove(0, ['app1', 'app2'])).toEqual([]);
});
