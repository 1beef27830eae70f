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

test('the image starts its programs with the flags that bin/up gives them', () => {
  const dockerfile = readFileSync(join(CHECKOUT, 'Dockerfile'), 'utf8');
  const entry = /^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '';
  const flags = programArguments('', 'api', 'built').slice(0, -1);
  expect(JSON.parse(entry)).toEqual(['node', ...flags, 'dist/cmd/start/main.js']);
  for (const [name, value] of Object.entries(MEMORY_ENVIRONMENT))
    expect(dockerfile).toContain(`${name}=${value}`);
});

test('the image keeps the query compiler that the client was generated for', () => {
  const schema = readFileSync(join(CHECKOUT, 'prisma/schema.prisma'), 'utf8');
  const build = /compilerBuild\s*=\s*"(\w+)"/.exec(schema)?.[1] ?? 'fast';
  expect(readFileSync(join(CHECKOUT, 'Dockerfile'), 'utf8')).not.toContain(`*_${build}_*`);
});
