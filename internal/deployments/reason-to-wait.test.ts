import { expect, test } from '@jest/globals';
import { reasonToWait, type WaitState } from './reason-to-wait.ts';

const NEXT: WaitState = {
  position: 1,
  sibling: null,
  retryAt: null,
  fullProject: null,
  underWay: 0,
  hasWorker: true,
};
const retryAt = new Date('2026-11-20T10:00:00Z');

test.each<[Partial<WaitState>, string]>([
  [{}, 'It is next; a worker takes it as soon as one is free.'],
  [
    { underWay: 1 },
    'It is next; the workers are busy with 1 other deployment; a worker takes it as soon as one is free.',
  ],
  [{ position: 2 }, '1 other deployment is ahead.'],
  [
    { position: 4, underWay: 2 },
    '3 other deployments are ahead; the workers are busy with 2 other deployments.',
  ],
  [{ sibling: 'q6wlnf4j3e', position: 9 }, 'Deployment q6wlnf4j3e of this app is under way; it goes first.'],
  [
    { retryAt, position: 2 },
    'The last try failed for a reason of the platform; the next one begins at 2026-11-20T10:00:00.000Z.',
  ],
  [
    { fullProject: 2, underWay: 3 },
    'Its project runs 2 at a time (deployment_limit), and that many are under way.',
  ],
  [{ hasWorker: false, sibling: 'q6wlnf4j3e', retryAt }, 'No worker is running; start one.'],
])('A6: %j: %s', (state, expected) => {
  expect(reasonToWait({ ...NEXT, ...state })).toBe(expected);
});
