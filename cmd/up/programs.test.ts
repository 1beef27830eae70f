import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { MEMORY_ENVIRONMENT, programArguments } from './programs.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');

test.each(['api', 'worker'] as const)('npm run start:%s is what bin/up starts', (name) => {
  const { scripts } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const environment = Object.entries(MEMORY_ENVIRONMENT).map(([key, value]) => `${key}=${value}`);
  const command = [...environment, 'node', ...programArguments('', name, 'built')].join(' ');
  expect(scripts[`start:${name}`]).toBe(command);
});
