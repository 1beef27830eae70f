import { format, inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { Secret } from './secret.ts';

describe('T24: a secret prints as [REDACTED]', () => {
  const secret = new Secret('canary-value');
  const nested = { settings: { key: secret, list: [secret] } };

  test.each([
    ['as a string', String(secret)],
    ['joined', ['a', secret].join(' ')],
    ['as JSON', JSON.stringify(nested)],
    ['inspected', inspect(nested, { depth: null, showHidden: true })],
    ['formatted', format('%s %o %j', secret, secret, nested)],
    ['listed', JSON.stringify([Object.entries(secret), Object.getOwnPropertyNames(secret)])],
    ['in an error', inspect(new Error(String(secret), { cause: nested }))],
  ])('%s', (_where, printed) => {
    expect(printed).not.toContain('canary');
  });

  test('and is revealed only when asked for', () => {
    expect(secret.reveal()).toBe('canary-value');
  });
});
