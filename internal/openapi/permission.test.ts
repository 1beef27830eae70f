import { describe, expect, test } from '@jest/globals';
import type { Caller, Operation } from './operation.ts';
import { requirePermission, scopeOf } from './permission.ts';

const caller = (change: Partial<Caller>): Caller => ({
  userId: 'u',
  userHash: 'h',
  role: 'member',
  via: 'token',
  tokenId: 't',
  scope: 'read',
  ...change,
});
const allows = (who: Partial<Caller>, operation: Pick<Operation, 'method' | 'scope' | 'ownerOnly'>) => {
  try {
    requirePermission(caller(who), operation);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden' });
    return false;
  }
};

test('an operation that names no scope asks for read where it reads, else for admin', () => {
  expect(scopeOf({ method: 'get' })).toBe('read');
  for (const method of ['post', 'put', 'patch', 'delete'] as const) expect(scopeOf({ method })).toBe('admin');
  expect(scopeOf({ method: 'post', scope: 'deploy' })).toBe('deploy');
});

describe('T45: a scope holds those before it and none after', () => {
  test.each([
    ['read', [true, false, false]],
    ['deploy', [true, true, false]],
    ['admin', [true, true, true]],
  ] as const)('%s', (scope, expected) => {
    const needed = (['read', 'deploy', 'admin'] as const).map((of) =>
      allows({ scope }, { method: 'post', scope: of }),
    );
    expect(needed).toEqual(expected);
  });
});

test('what is for the owner only, a member may not do whatever their scope', () => {
  const operation = { method: 'get', ownerOnly: true } as const;
  expect(allows({ scope: 'admin' }, operation)).toBe(false);
  expect(allows({ scope: 'read', role: 'owner' }, operation)).toBe(true);
});
