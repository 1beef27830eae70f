import { expect, test } from '@jest/globals';
import { RecentMap } from './recent-map.ts';

test('of too many entries the one goes that was longest not asked for', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
  map.set('a', 4);
  map.set('d', 5);
  expect([map.get('a'), map.get('c')]).toEqual([4, undefined]);
});
