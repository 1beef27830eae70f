import { expect, test } from '@jest/globals';
import { parseOptions } from './options.ts';

test.each([
  [[], { sample: false, detach: false, help: false }],
  [['--sample', '--detach'], { sample: true, detach: true, help: false }],
  [['-h'], { sample: false, detach: false, help: true }],
])('%j', (args, options) => {
  expect(parseOptions(args)).toEqual(options);
});

test.each([[['--smaple']], [['now']]])('%j is refused, with a pointer to the help', (args) => {
  expect(() => parseOptions(args)).toThrow('bin/up --help');
});
