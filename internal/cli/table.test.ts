import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Column, formatFields, formatTable } from './table.ts';
import { cutToWidth, onOneLine, textWidth } from './text-width.ts';

interface Row {
  readonly id: string;
  readonly message: string;
}
const COLUMNS: Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id, isWhole: true },
  { title: 'MESSAGE', value: ({ message }) => message },
];
const ROWS = [
  { id: 'q6wlnf4j3e', message: 'Greet visitors' },
  { id: 'k3v5ahq2xd', message: 'Fix' },
];

describe('a table', () => {
  test('is as wide as it gets where there is no terminal', () => {
    expect(formatTable(ROWS, COLUMNS, null)).toEqual([
      'ID          MESSAGE',
      'q6wlnf4j3e  Greet visitors',
      'k3v5ahq2xd  Fix',
    ]);
  });

  test.each([
    [26, 'q6wlnf4j3e  Greet visitors'],
    [25, 'q6wlnf4j3e  Greet visito…'],
    [18, 'q6wlnf4j3e  Greet…'],
    [17, 'q6wlnf4j3e'],
    [4, 'q6w…'],
  ])('of %d columns cuts what may be cut', (width, line) => {
    expect(formatTable(ROWS, COLUMNS, width)[1]).toBe(line);
  });

  test('has its titles alone when there is nothing in it', () => {
    expect(formatTable([], COLUMNS, 80)).toEqual(['ID          MESSAGE'.replace(/ {10}/, '  ')]);
  });

  test('counts the columns of colours as none', () => {
    const painted = COLUMNS.map((column) => ({ ...column, paint: (cell: string) => `<${cell}>` }));
    expect(formatTable(ROWS, painted, null)[2]).toBe('<k3v5ahq2xd>  <Fix>');
  });

  test('never exceeds the terminal, whatever stands in it', () => {
    const row = fc.record({ id: fc.string({ unit: 'grapheme' }), message: fc.string({ unit: 'grapheme' }) });
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 1, max: 60 }), (rows, width) => {
        const lines = formatTable(rows, COLUMNS, width);
        expect(lines).toHaveLength(rows.length + 1);
        expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(width);
        expect(lines.join('')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('text at a terminal', () => {
  test.each([
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['🚀', 2],
    ['👩‍👩‍👧', 2],
    ['', 0],
  ])('%j takes %d columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  test.each([
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['abc', 3, 'abc'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%j in %d columns is %j', (text, columns, cut) => {
    expect(cutToWidth(text, columns)).toBe(cut);
  });

  test.each([
    ['one\ntwo\r\n', 'one two'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007 x', ']0;title x'],
    ['a\u202eb', 'ab'],
  ])('T66: %j does not act on the terminal', (text, line) => {
    expect(onOneLine(text)).toBe(line);
  });
});

test('fields stand below each other, without the empty ones', () => {
  const fields: [string, string | null][] = [
    ['name', 'shop'],
    ['health check', '/health'],
    ['branch', null],
  ];
  expect(formatFields(fields)).toEqual(['name          shop', 'health check  /health']);
});
