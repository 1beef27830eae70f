import { execFileSync } from 'node:child_process';
import { parseEnv } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDotenv, printDotenv } from './dotenv.ts';
import { KEY } from './env-var.ts';

const valuesIn = (text: string) => parseDotenv(text).map(({ value }) => value);

const SPECIAL = Array.from(`$#'"\`\\\n\r\t= {}!;&|<>*~nrt`);

/** Any text of UTF-8 without NUL, and more often than by chance those that grammars trip over. */
const value = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(...SPECIAL, '\u{1f389}', '\ufeff'),
      maxLength: 40,
    }),
  )
  .filter((text) => !text.includes('\0'));
const variables = fc.array(fc.record({ key: fc.stringMatching(KEY), value }), { maxLength: 10 });

describe('A11: what is printed as .env', () => {
  test('is read as it was, whatever the values are', () => {
    fc.assert(
      fc.property(variables, (given) => {
        expect(parseDotenv(printDotenv(given))).toEqual(given);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is read as it was also with a BOM and Windows line ends', () => {
    fc.assert(
      fc.property(variables, (given) => {
        const saved = `\ufeff${printDotenv(given).replaceAll('\n', '\r\n')}`;
        expect(parseDotenv(saved)).toEqual(given);
      }),
    );
  });

  test('is read the same by a shell, but for a carriage return', () => {
    const given = fc
      .sample(value, 1_000)
      .filter((text) => !text.includes('\r'))
      .map((text, index) => ({ key: `V${index}`, value: text }));
    const script = `set -a\n${printDotenv(given)}exec "$0" -e 'process.stdout.write(JSON.stringify(process.env))'`;
    const output = execFileSync('/bin/sh', ['-c', script, process.execPath], { env: {}, encoding: 'utf8' });
    const read = JSON.parse(output) as Record<string, string>;
    expect(given.length).toBeGreaterThan(500);
    expect(given.map(({ key }) => read[key])).toEqual(given.map((one) => one.value));
  });

  test('is read the same by Node, where it needs no escapes', () => {
    const given = {
      PLAIN: 'a-b_c.d/e:1@2',
      EMPTY: '',
      SPACES: ' a b ',
      HASH: 'a # b',
      PEM: '--B--\nx\n--E--\n',
    };
    const text = printDotenv(Object.entries(given).map(([key, one]) => ({ key, value: one })));
    expect(parseEnv(text)).toEqual(given);
  });
});

describe('A11: a .env file of everyday', () => {
  test.each([
    ['A=1', ['1']],
    ['A=', ['']],
    ['A=\nB=2', ['', '2']],
    ['export A=1', ['1']],
    ['  export   A = 1  ', ['1']],
    ['A=a b  c ', ['a b  c']],
    ['A=a=b==', ['a=b==']],
    ['A=a#b', ['a#b']],
    ['A=#b', ['#b']],
    ['A=a # comment', ['a']],
    ['A= # comment', ['']],
    ['# A=1\n\n   \n\t# x\nB=2\n', ['2']],
    ["A='a # b' # comment", ['a # b']],
    ['A=""', ['']],
    [`A='$HOME \\n "x"'`, ['$HOME \\n "x"']],
    ['A=`it\'s "x"`', ['it\'s "x"']],
    ['A=$HOME/$(id)', ['$HOME/$(id)']],
    ['A="$HOME"', ['$HOME']],
    ['A="a\\nb\\tc\\rd"', ['a\nb\tc\rd']],
    ['A="\\\\ \\" \\$ \\`"', ['\\ " $ `']],
    ['A="C:\\dir \\x"', ['C:\\dir \\x']],
    ['A=C:\\dir\\new', ['C:\\dir\\new']],
    ['A="\\\\n"', ['\\n']],
    ['A={"a": "b\'c"}', ['{"a": "b\'c"}']],
    ['A="line 1\nline 2\n"\nB=2', ['line 1\nline 2\n', '2']],
    ["A='-----BEGIN-----\r\nx\r\n-----END-----'\r\nB=2\r\n", ['-----BEGIN-----\nx\n-----END-----', '2']],
    ['\ufeffA=1', ['1']],
    ['A=日本語🎉', ['日本語🎉']],
    ['A=1\nA=2', ['1', '2']],
    ['', []],
  ])('%j is understood', (text, expected) => {
    expect(valuesIn(text)).toEqual(expected);
  });

  test.each([
    ['A', 'line 1: is not KEY=value'],
    ['A=1\n\n=2', 'line 3: is not KEY=value'],
    ['A=1\nB: 2', 'line 2: is not KEY=value'],
    ['A="\n\nB=1', 'line 1: begins a quote " that is never closed'],
    ["A=1\nB='x", "line 2: begins a quote ' that is never closed"],
    ['A="x"y', 'line 1: goes on after the closing quote'],
    ['A="x\ny"z', 'line 2: goes on after the closing quote'],
    ['A-B=1', 'line 1: the key must be'],
    ['Ä=1', 'line 1: the key must be'],
    ['A=a\0b', 'line 1: the value must hold no NUL'],
  ])('%j is refused by its line', (text, problem) => {
    expect(() => parseDotenv(text)).toThrow(problem);
  });

  test('T36: with a value over 32 KB is refused by its line', () => {
    expect(() => parseDotenv(`A=1\nB=${'x'.repeat(32_769)}`)).toThrow('line 2: the value must have at most');
  });

  test('T57: is not repeated in the problem', () => {
    for (const text of ['canary', 'A="canary', 'A="x"canary', 'canary-x=1', 'A=canary\0']) {
      expect(() => parseDotenv(text)).toThrow(expect.not.stringContaining('canary') as never);
    }
  });

  test('of a megabyte without an end is refused at once', () => {
    expect(() => parseDotenv(`A="${'a\\'.repeat(500_000)}`)).toThrow('never closed');
  });
});
