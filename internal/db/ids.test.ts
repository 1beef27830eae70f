import { describe, expect, test } from '@jest/globals';
import { newId, newUserHash } from './ids.ts';

describe('an id', () => {
  const ids = Array.from({ length: 5_000 }, newId);

  test('is ten characters of base32 that begin with a letter', () => {
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z2-7]{9}$/);
  });

  test('is drawn from all letters and digits, and not twice', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id[0])).size).toBe(26);
    expect(new Set(ids.join('')).size).toBe(32);
  });

  test('of a user is six characters', () => {
    expect(newUserHash()).toMatch(/^[a-z][a-z2-7]{5}$/);
  });
});
