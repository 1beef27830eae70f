import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LiteralSearch, MIN_LITERAL, type Range } from './literal-search.ts';

function searchFor(literals: readonly string[]): LiteralSearch {
  const search = new LiteralSearch();
  for (const literal of literals) search.add(literal);
  return search;
}

/** The same, as one would write it down. */
function foundOneByOne(literals: readonly string[], text: string): Range[] {
  const isCovered = Array.from({ length: text.length }, () => false);
  for (const literal of literals) {
    for (let from = text.indexOf(literal); from !== -1; from = text.indexOf(literal, from + 1)) {
      isCovered.fill(true, from, from + literal.length);
    }
  }
  const ranges: Range[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (!isCovered[at]) continue;
    const last = ranges.at(-1);
    if (last?.to === at) last.to = at + 1;
    else ranges.push({ from: at, to: at + 1 });
  }
  return ranges;
}

test('finds what looking for each literal by itself finds', () => {
  // Few letters, so that they overlap, touch and repeat.
  const word = (minLength: number, maxLength: number) =>
    fc.string({ unit: fc.constantFrom('a', 'b', '\u{1f389}', '\u0000'), minLength, maxLength });
  fc.assert(
    fc.property(fc.array(word(MIN_LITERAL, 12), { maxLength: 8 }), word(0, 80), (literals, text) => {
      expect(searchFor(literals).rangesIn(text)).toEqual(foundOneByOne(literals, text));
    }),
    { numRuns: 3_000 },
  );
});

test('finds each of thousands of literals, and nothing in a text without them', () => {
  const literals = Array.from({ length: 5_000 }, (_, index) => `literal-${index}-end`);
  const search = searchFor(literals);
  for (const literal of literals)
    expect(search.rangesIn(`>${literal}<`)).toEqual([{ from: 1, to: 1 + literal.length }]);
  expect(search.rangesIn('literal-5000-end')).toEqual([]);
});

test('takes no literal that is shorter than its window', () => {
  expect(searchFor(['abcde', '']).rangesIn('abcde')).toEqual([]);
});

test('gives up on a text that was made to be dear', () => {
  const almost = Array.from({ length: 200 }, (_, index) => `${'a'.repeat(300 + index)}b`);
  expect(searchFor(almost).rangesIn('a'.repeat(64 * 1024))).toBeNull();
  expect(searchFor(almost).rangesIn(`${'a'.repeat(300)}b`)).toEqual([{ from: 0, to: 301 }]);
});
