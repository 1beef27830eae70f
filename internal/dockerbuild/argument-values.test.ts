import { expect, test } from '@jest/globals';
import { withArguments } from './argument-values.ts';

test.each([
  ['an argument without a default', 'FROM a\nARG X\nRUN b', "FROM a\nARG X\nARG X='1'\nRUN b"],
  ['one with a default', 'ARG X=0\nFROM a', "ARG X=0\nARG X='1'\nFROM a"],
  ['each of several', 'FROM a\nARG Y X=0 OTHER', "FROM a\nARG Y X=0 OTHER\nARG Y='2'\nARG X='1'"],
  [
    'over several lines',
    'FROM a\narg X \\\n  # c\n  OTHER\nRUN b',
    "FROM a\narg X \\\n  # c\n  OTHER\nARG X='1'\nRUN b",
  ],
  ['one that is not given', 'FROM a\nARG OTHER', 'FROM a\nARG OTHER'],
  ['a trigger for later builds', 'FROM a\nONBUILD ARG X', 'FROM a\nONBUILD ARG X'],
  ['the body of a here-document', 'FROM a\nRUN <<EOF\nARG X\nEOF', 'FROM a\nRUN <<EOF\nARG X\nEOF'],
])('arguments are written behind what declares them: %s', (_name, text, expected) => {
  expect(withArguments(text, { X: '1', Y: '2' })).toBe(expected);
});

test.each([
  ['$HOME "x" \\', `'$HOME "x" \\'`],
  ["it's", `'it'"'"'s'`],
  ['', "''"],
])('the value %j is quoted', (value, expected) => {
  expect(withArguments('ARG X', { X: value })).toBe(`ARG X\nARG X=${expected}`);
});

test.each(['a\nb', 'a\rb', 'x'.repeat(40_000)])('a value that fits in no line is told', (value) => {
  expect(withArguments('FROM a\nARG X', { X: value })).toBeNull();
});
