import { expect, test } from '@jest/globals';
import { packagesToBuildFirst } from './workspace-packages.ts';

const aPackage = (path: string, needs: string[], scripts: object = { build: 'tsc' }) => ({
  path,
  packageJson: JSON.stringify({
    name: `@acme/${path.split('/').at(-1)}`,
    scripts,
    devDependencies: Object.fromEntries(needs.map((name) => [`@acme/${name}`, '*'])),
  }),
});

const build = (...packages: ReturnType<typeof aPackage>[]) => packagesToBuildFirst('apps/web', packages);

test('builds what the member needs before it, each after its own needs, and nothing else', () => {
  expect(
    build(
      aPackage('apps/web', ['ui', 'config']),
      aPackage('apps/admin', ['ui']),
      aPackage('packages/ui', ['words']),
      aPackage('packages/words', []),
      aPackage('packages/config', [], {}),
    ),
  ).toEqual(['packages/words', 'packages/ui']);
});

test('a circle, a broken manifest, and a member that is no package do no harm', () => {
  expect(
    build(aPackage('apps/web', ['a']), aPackage('packages/a', ['b']), aPackage('packages/b', ['a'])),
  ).toEqual(['packages/b', 'packages/a']);
  expect(build(aPackage('packages/a', []), { path: 'test/broken', packageJson: '{' })).toEqual([]);
});
