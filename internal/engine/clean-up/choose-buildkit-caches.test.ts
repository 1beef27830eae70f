import { expect, test } from '@jest/globals';
import { cachesToRemove } from './choose-buildkit-caches.ts';

const cache = (appId: string, bytes: number, usedAt: number | null) => ({
  appId,
  bytes,
  usedAt: usedAt === null ? null : new Date(usedAt),
});
const caches = [cache('old', 10, 1000), cache('new', 10, 3000), cache('middle', 10, 2000)];
const all = ['old', 'middle', 'new'];

test.each<[string, { apps?: string[]; busy?: string[]; maxBytes: number }, string[]]>([
  ['there is room', { maxBytes: 30 }, []],
  ['A9: the longest unused go first', { maxBytes: 15 }, ['old', 'middle']],
  [
    'T75: one of an app that is gone goes, though there is room',
    { apps: ['old', 'new'], maxBytes: 100 },
    ['middle'],
  ],
  ['what no app has counts no more', { apps: ['middle', 'new'], maxBytes: 20 }, ['old']],
  ['F53: one of an app that builds counts and stays', { busy: ['old'], maxBytes: 15 }, ['middle', 'new']],
  ['nothing is to be kept', { maxBytes: 0 }, all],
])('%s', (_name, { apps = all, busy = [], maxBytes }, expected) => {
  const removed = cachesToRemove(caches, { apps: new Set(apps), busyApps: new Set(busy), maxBytes });
  expect(removed.map(({ appId }) => appId)).toEqual(expected);
});

test('one whose last use is not known goes before the others', () => {
  const limits = { apps: new Set([...all, 'unknown']), busyApps: new Set<string>(), maxBytes: 30 };
  expect(cachesToRemove([...caches, cache('unknown', 10, null)], limits)).toMatchObject([
    { appId: 'unknown' },
  ]);
});
