import { describe, expect, test } from '@jest/globals';
import { DeploymentStatus, DeploymentStep } from '../db/generated/enums.ts';
import { isFinished, isInFlight, mayMove, statusDuring, statusesBefore } from './deployment-status.ts';

describe('the moves of a deployment', () => {
  test.each([
    ['pending', 'building'],
    ['building', 'deploying'],
    ['deploying', 'live'],
    ['live', 'retired'],
    ['live', 'crashed'],
    ['retired', 'live'],
  ] as const)('%s → %s is allowed', (from, to) => {
    expect(mayMove(from, to)).toBe(true);
  });

  test.each([
    ['pending', 'live'],
    ['building', 'live'],
    ['failed', 'pending'],
    ['cancelled', 'live'],
    ['live', 'failed'],
  ] as const)('%s → %s is not', (from, to) => {
    expect(mayMove(from, to)).toBe(false);
  });

  test('only a deploying, retired or crashed one becomes live', () => {
    expect(statusesBefore('live')).toEqual(['deploying', 'retired', 'crashed']);
  });
});

describe('in flight and finished', () => {
  test('a live release that still drains its predecessor is in flight, and not finished', () => {
    const draining = { status: 'live', step: 'draining' } as const;
    expect([isInFlight(draining), isFinished(draining)]).toEqual([true, false]);
  });

  test('every status is exactly one of waiting, in flight and finished', () => {
    for (const status of Object.values(DeploymentStatus)) {
      const of = { status, step: null };
      expect([status === 'pending', isInFlight(of), isFinished(of)].filter(Boolean)).toHaveLength(1);
    }
  });

  test('every step has a status', () => {
    expect(Object.values(DeploymentStep).map(statusDuring)).toEqual([
      'building',
      'building',
      'deploying',
      'deploying',
      'deploying',
      'deploying',
      'live',
    ]);
  });
});
