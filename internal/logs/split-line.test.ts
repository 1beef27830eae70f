import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { splitLine } from './split-line.ts';

test('T68: a long line becomes pieces of at most the limit, and together they are the line', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.integer({ min: 64, max: 200 }),
      (text, limit) => {
        const pieces = splitLine(text, limit);
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(limit);
      },
    ),
  );
});

test('a short line is one piece, an empty one too', () => {
  expect(splitLine('abc', 64)).toEqual(['abc']);
  expect(splitLine('', 64)).toEqual(['']);
});

test('no cut inside a colour sequence', () => {
  for (let before = 50; before < 70; before += 1) {
    const text = `${'x'.repeat(before)}\x1b[38;2;255;255;255mred${'y'.repeat(40)}`;
    const pieces = splitLine(text, 64);
    expect(pieces.join('')).toBe(text);
    expect(pieces.filter((piece) => piece.includes('\x1b[38;2;255;255;255m'))).toHaveLength(1);
  }
});
