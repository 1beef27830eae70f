import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { repositoryReader } from '../internal/dockerbuild/read-repository.ts';
import { planBuild, READ_FILES } from '../internal/engine/plan-build.ts';
import { filesOfStack, STACK_REPOSITORIES, stackFolders } from './support/stack-repositories.ts';

/** All of them are planned in every run; bin/test e2e builds the first of each family, bin/test stacks all. */
test('every repository in test/stacks has its row', () => {
  expect(STACK_REPOSITORIES.map(({ name }) => name).sort()).toEqual(stackFolders());
});

test.each(STACK_REPOSITORIES)('$name is recognised as $framework', async (stack) => {
  const { name, framework, rootDirectory = '.' } = stack;
  const facts = await repositoryReader.read(join(import.meta.dirname, 'stacks', name), {
    rootDirectory,
    dockerfilePath: null,
    textsOf: READ_FILES,
  });
  const plan = planBuild(facts, {
    framework: 'auto',
    dockerfilePath: null,
    buildCommand: null,
    startCommand: null,
    outputDirectory: null,
    port: null,
    buildVariables: [],
    images: { node: 'on:node', python: 'on:python', go: 'on:go', static: 'on:static' },
  });
  if (plan.kind !== 'generated') throw new Error('it has a Dockerfile');
  expect(plan.framework).toBe(framework);
  const bases = [...plan.dockerfile.matchAll(/^FROM on:(\w+)/gm)].map(([, base]) => base);
  expect(new Set(bases)).toEqual(new Set(stack.on));
});

test.each(STACK_REPOSITORIES)('the lock file of $name does not say where packages come from', ({ name }) => {
  for (const [path, text] of Object.entries(filesOfStack(name))) {
    expect([path, /"resolved": "http|^\s*resolved "?http|\.tgz/m.test(text)]).toEqual([path, false]);
  }
});
