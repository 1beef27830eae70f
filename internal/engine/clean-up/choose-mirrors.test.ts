import { expect, test } from '@jest/globals';
import { mirrorsToRemove } from './choose-mirrors.ts';

const mirror = (name: string, bytes: number, usedAt: number) => ({ name, bytes, usedAt: new Date(usedAt) });
const mirrors = [mirror('old', 10, 1000), mirror('new', 10, 3000), mirror('middle', 10, 2000)];

test.each<[string, string[], number, string[]]>([
  ['all are used, and there is room', ['old', 'middle', 'new'], 30, []],
  ['one that no app uses goes, though there is room', ['old', 'new'], 100, ['middle']],
  ['the longest unused go first', ['old', 'middle', 'new'], 15, ['old', 'middle']],
  ['what no app uses counts no more', ['middle', 'new'], 20, ['old']],
  ['nothing is to be kept', ['old', 'middle', 'new'], 0, ['old', 'middle', 'new']],
])('%s', (_name, used, maxBytes, expected) => {
  const removed = mirrorsToRemove(mirrors, { used: new Set(used), maxBytes });
  expect(removed.map(({ name }) => name)).toEqual(expected);
});
