import { expect, test } from '@jest/globals';
import { parseAssignments } from './assignments.ts';

const parse = (given: readonly string[], input = '') => parseAssignments(given, async () => input);

test('a value is everything behind the first =', async () => {
  expect(await parse(['A=1', 'B=a=b', 'C=', 'D= x \n'])).toEqual([
    { key: 'A', value: '1' },
    { key: 'B', value: 'a=b' },
    { key: 'C', value: '' },
    { key: 'D', value: ' x \n' },
  ]);
});

test('one value comes from standard input, without the last line end', async () => {
  expect(await parse(['A=1', 'KEY=-'], '-----BEGIN-----\nx\n-----END-----\n')).toEqual([
    { key: 'A', value: '1' },
    { key: 'KEY', value: '-----BEGIN-----\nx\n-----END-----' },
  ]);
  await expect(parse(['A=-', 'B=-'])).rejects.toThrow('only one variable');
});

test.each(['canary', '=canary', ''])('%j is no assignment, and is not repeated', async (text) => {
  await expect(parse([text])).rejects.toThrow(/^Give each variable as KEY=VALUE\.$/);
});
