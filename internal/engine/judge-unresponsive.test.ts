import { expect, test } from '@jest/globals';
import { noteFailure, type ProbedReplica, replicaToRestart } from './judge-unresponsive.ts';

const NOW = 100_000;
const replica = (
  containerId: string,
  count: number,
  secondsAgo: number,
  isStarting = false,
): ProbedReplica => ({
  containerId,
  unanswered: count === 0 ? null : { count, since: NOW - secondsAgo * 1000, reason: 'status 500' },
  isStarting,
});

test('failures in a row are counted from the first, with the last reason', () => {
  const first = noteFailure(null, 'no answer within 5 s', 1_000);
  expect(noteFailure(first, 'status 500', 16_000)).toEqual({ count: 2, since: 1_000, reason: 'status 500' });
});

test.each<[string, ProbedReplica[], string | null]>([
  ['that answers', [replica('a', 0, 0)], null],
  ['that failed twice', [replica('a', 2, 60)], null],
  ['that failed three times within seconds', [replica('a', 3, 20)], null],
  ['that failed three times over half a minute', [replica('a', 3, 30)], 'a'],
  ['that failed beside one that answers', [replica('a', 0, 0), replica('b', 3, 30)], 'b'],
  ['that failed as all did: one at a time', [replica('a', 3, 30), replica('b', 4, 45)], 'a'],
  ['that failed while another comes back', [replica('a', 1, 5, true), replica('b', 4, 45)], null],
  ['that failed when the other is back', [replica('a', 0, 0, true), replica('b', 4, 45)], 'b'],
])('of replicas, one %s', (_name, replicas, expected) => {
  expect(replicaToRestart(replicas, NOW)).toBe(expected);
});
