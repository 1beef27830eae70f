import { describe, expect, test } from '@jest/globals';
import { DeploymentStatus } from '../db/generated/enums.ts';
import { exitCodeOf } from './exit-code.ts';

describe('the exit code of a deployment', () => {
  test.each([
    ['live', 0],
    ['retired', 0],
    ['stopped', 0],
    ['failed', 1],
    ['crashed', 1],
    ['cancelled', 3],
    ['superseded', 3],
    ['pending', null],
    ['building', null],
    ['deploying', null],
  ] as const)('A24: of %s is %s', (status, code) => {
    expect(exitCodeOf(status)).toBe(code);
  });

  test('is known for every status that ends one', () => {
    const open = Object.values(DeploymentStatus).filter((status) => exitCodeOf(status) === null);
    expect(open).toEqual(['pending', 'building', 'deploying']);
  });
});
