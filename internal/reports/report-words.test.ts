import { expect, describe as group, test } from '@jest/globals';
import { commitState, deploymentState, describe, environmentName, type ReportFacts } from './report-words.ts';

const facts = (changes: Partial<ReportFacts>): ReportFacts => ({
  state: 'success',
  status: 'live',
  failureCode: null,
  url: 'http://shop.apps.test:8000',
  ...changes,
});

test.each<[Partial<ReportFacts>, string | null, string, string]>([
  [{ state: 'pending', status: 'pending' }, 'pending', 'queued', 'Waiting in the queue'],
  [{ state: 'in_progress', status: 'building' }, 'pending', 'in_progress', 'Building and starting'],
  [{}, 'success', 'success', 'Live at shop.apps.test:8000'],
  [
    { state: 'failure', status: 'failed', failureCode: 'build_failed' },
    'failure',
    'failure',
    'Build failed; Berth says why',
  ],
  [
    { state: 'failure', status: 'failed', failureCode: 'disk_full' },
    'error',
    'failure',
    'Disk full; Berth says why',
  ],
  [{ state: 'failure', status: 'crashed' }, 'failure', 'failure', 'Failed'],
  [{ state: 'inactive', status: 'cancelled' }, 'error', 'inactive', 'Cancelled'],
  [{ state: 'inactive', status: 'superseded' }, 'error', 'inactive', 'Superseded by a newer push'],
  [{ state: 'inactive', status: 'retired' }, null, 'inactive', 'Replaced by a newer release'],
  [{ state: 'inactive', status: 'stopped' }, null, 'inactive', 'Stopped'],
  // Told late: its successor died meanwhile, and it is live again.
  [{ state: 'inactive', status: 'live' }, null, 'inactive', 'Replaced by a newer release'],
])('%j: commit %s, Deployment %s, %j', (changes, commit, deployment, words) => {
  const told = facts(changes);
  expect([commitState(told), deploymentState(told), describe(told)]).toEqual([commit, deployment, words]);
});

group('the words', () => {
  test('fit into what GitHub takes', () => {
    const words = describe(
      facts({ url: `http://${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.test` }),
    );
    expect(words).toMatch(/^Live at x+\.y+\.z+…$/);
    expect(words).toHaveLength(140);
  });

  test('name the environment by its app, and by the project where that is not the default one', () => {
    expect(environmentName({ project: 'default', app: 'shop' })).toBe('shop');
    expect(environmentName({ project: 'acme', app: 'shop' })).toBe('acme/shop');
  });
});
