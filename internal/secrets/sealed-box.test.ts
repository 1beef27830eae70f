import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SealBroken, SealedBox } from './sealed-box.ts';
import { Secret } from './secret.ts';

const newKey = () => new Secret(randomBytes(32).toString('base64'));
const box = new SealedBox(newKey());
/** Any text there is in UTF-8. */
const text = fc.string({ unit: 'grapheme' });
const context = fc
  .tuple(fc.constantFrom('deployments', 'env_vars'), fc.string(), fc.string())
  .map((parts) => parts.join(':'));

describe('T70: a sealed value', () => {
  test('opens to what was sealed', () => {
    fc.assert(
      fc.property(text, context, (value, place) => box.open(box.seal(value, place), place) === value),
    );
  });

  test('does not open after a change of any bit of any byte', () => {
    const sealed = box.seal('a value of some length', 'table:row:field');
    for (const [index, byte] of sealed.entries()) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = sealed.slice();
        changed[index] = byte ^ (1 << bit);
        expect(() => box.open(changed, 'table:row:field')).toThrow(SealBroken);
      }
    }
  });

  test('does not open when it is cut anywhere, or longer', () => {
    const sealed = box.seal('value', 't:r:f');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => box.open(sealed.subarray(0, length), 't:r:f')).toThrow(SealBroken);
    }
    expect(() => box.open(new Uint8Array([...sealed, 0]), 't:r:f')).toThrow(SealBroken);
  });

  test('does not open with its tag cut to the four bytes that Node would take by itself', () => {
    const sealed = box.seal('', 't:r:f');
    // header 5, nonce 12, then the tag; the value is empty, so the tag is all there is after them.
    expect(() => box.open(sealed.subarray(0, 5 + 12 + 4), 't:r:f')).toThrow(SealBroken);
  });

  test('does not open in another row or field', () => {
    fc.assert(
      fc.property(text, context, context, (value, place, other) => {
        fc.pre(place !== other);
        expect(() => box.open(box.seal(value, place), other)).toThrow(SealBroken);
      }),
    );
  });

  test('does not open with another key, and says so', () => {
    const sealed = new SealedBox(newKey()).seal('value', 't:r:f');
    expect(() => box.open(sealed, 't:r:f')).toThrow('another key');
  });

  test('made of noise does not open', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(() => box.open(noise, 't:r:f')).toThrow(SealBroken);
      }),
    );
  });

  test('never repeats its nonce: 100,000 of the same value', () => {
    const nonces = new Set<string>();
    for (let count = 0; count < 100_000; count += 1) {
      nonces.add(Buffer.from(box.seal('same', 't:r:f').subarray(5, 17)).toString('latin1'));
    }
    expect(nonces.size).toBe(100_000);
  });

  test('tells nothing of the value in the error', () => {
    const sealed = box.seal('canary-value', 't:r:f');
    sealed[40] = (sealed[40] ?? 0) ^ 1;
    expect(() => box.open(sealed, 't:r:f')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('canary') }),
    );
  });
});

describe('T71: with a key of before', () => {
  const [before, present] = [newKey(), newKey()];
  const sealedBefore = new SealedBox(before).seal('value', 't:r:f');
  const changed = new SealedBox(present, [newKey(), before]);

  test('what that one sealed still opens, in its own place only', () => {
    expect(changed.open(sealedBefore, 't:r:f')).toBe('value');
    expect(() => changed.open(sealedBefore, 't:other:f')).toThrow(SealBroken);
  });

  test('what is sealed anew has the present key', () => {
    const sealed = changed.seal('value', 't:r:f');
    expect(new SealedBox(present).open(sealed, 't:r:f')).toBe('value');
    expect(() => new SealedBox(before).open(sealed, 't:r:f')).toThrow('another key');
  });

  test('it can be told which have the present key', () => {
    const sealed = changed.seal('value', 't:r:f');
    expect([changed.isPresent(sealed), changed.isPresent(sealedBefore)]).toEqual([true, false]);
    expect([...sealed.subarray(0, changed.header.length)]).toEqual([...changed.header]);
  });

  test('a value whose key id was exchanged for that of another known key does not open', () => {
    const sealed = changed.seal('value', 't:r:f');
    sealed.set(sealedBefore.subarray(0, changed.header.length));
    expect(() => changed.open(sealed, 't:r:f')).toThrow(SealBroken);
  });

  test('the one that is both present and of before is the present one', () => {
    const same = new SealedBox(present, [present]);
    expect(same.isPresent(same.seal('value', 't:r:f'))).toBe(true);
  });
});

test.each([0, 16, 31, 33])('a key of %i bytes is refused', (length) => {
  const key = new Secret(randomBytes(length).toString('base64'));
  expect(() => new SealedBox(key)).toThrow(RangeError);
});

test('a digest is the same for the same text, and another by another key or for another purpose', () => {
  const [one, other] = [newKey(), newKey()];
  const digest = new SealedBox(one).digest('text', 'build');
  expect(new SealedBox(one).digest('text', 'build')).toBe(digest);
  const different = [
    new SealedBox(one).digest('texts', 'build'),
    new SealedBox(one).digest('text', 'test'),
    new SealedBox(other).digest('text', 'build'),
  ];
  expect(different).not.toContain(digest);
});
