import { expect, describe as group, test } from '@jest/globals';
import { commitState, deploymentState, describe, environmentName, type ReportFacts } from './report-words.ts';

const facts = (changes: Partial<ReportFacts>): ReportFacts => ({
  state: 'success',
  status: 'live',
  failureCode: null,
  failureReason: null,
  url: 'http://shop.apps.test:8000',
  ...changes,
});

test.each<[Partial<ReportFacts>, string | null, string, string]>([
  [{ state: 'pending', status: 'pending' }, 'pending', 'queued', 'Waiting in the queue'],
  [{ state: 'in_progress', status: 'building' }, 'pending', 'in_progress', 'Building and starting'],
  [{}, 'success', 'success', 'Live at shop.apps.test:8000'],
  [
    { state: 'failure', status: 'failed', failureCode: 'build_failed', failureReason: 'RUN exit 7 failed.' },
    'failure',
    'failure',
    'RUN exit 7 failed.',
  ],
  [
    { state: 'failure', status: 'failed', failureCode: 'disk_full', failureReason: 'The disk is full.' },
    'error',
    'failure',
    'The disk is full.',
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
  test('fit into what GitHub takes, on one line', () => {
    const words = describe(facts({ state: 'failure', failureReason: `One\n two ${'x'.repeat(200)}` }));
    expect(words).toMatch(/^One two x+…$/);
    expect(words).toHaveLength(140);
  });

  test('name the environment by its app, and by the project where that is not the default one', () => {
    expect(environmentName({ project: 'default', app: 'shop' })).toBe('shop');
    expect(environmentName({ project: 'acme', app: 'shop' })).toBe('acme/shop');
  });
});
