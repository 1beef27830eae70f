import { beforeEach, expect, test } from '@jest/globals';
import type { ContainerEvent } from './ports.ts';
import { SeenRestarts } from './seen-restarts.ts';

let now: number;
let seen: SeenRestarts;
beforeEach(() => {
  now = 1_000_000;
  seen = new SeenRestarts({ now: () => now, sleep: async () => undefined });
});

const event = (kind: ContainerEvent['kind'], exitCode: number | null = null) =>
  seen.note({ containerId: 'c1', deploymentId: 'd1', kind, exitCode });

test('an end has its exit code', () => {
  event('ended', 3);
  expect(seen.lastEnd('c1')).toMatchObject({ exitCode: 3, outOfMemory: false });
  expect(seen.lastEnd('c2')).toBeNull();
});

test.each([
  ['before', () => event('out_of_memory'), () => event('ended', 137)],
  ['after', () => event('ended', 137), () => event('out_of_memory')],
])('F26: out of memory, told right %s the end, is its cause', (_when, first, second) => {
  first();
  now += 50;
  second();
  expect(seen.lastEnd('c1')).toMatchObject({ exitCode: 137, outOfMemory: true });
  now += 60_000;
  expect(seen.takeOutOfMemory('c1')).toBe(false);
});

test('a process that was ended for its memory while the container ran on is told once', () => {
  event('out_of_memory');
  expect(seen.takeOutOfMemory('c1')).toBe(false);
  now += 6_000;
  expect([seen.takeOutOfMemory('c1'), seen.takeOutOfMemory('c1')]).toEqual([true, false]);
  event('ended', 1);
  expect(seen.lastEnd('c1')).toMatchObject({ outOfMemory: false });
});

test('counts begin with the first look, and go with the container', () => {
  expect(seen.countOf('c1')).toBeNull();
  seen.lookedAt('c1', 4);
  expect(seen.countOf('c1')).toBe(4);
  seen.keepOnly(new Set(['c2']));
  expect(seen.countOf('c1')).toBeNull();
});
