import { describe, expect, test } from '@jest/globals';
import { parseGitlinks, parseSubmodules, resolveSubmoduleUrl } from './submodule-list.ts';

describe('where a submodule lies', () => {
  test.each([
    ['https://github.com/acme/lib.git', 'https://github.com/acme/lib.git'],
    ['../lib.git', 'https://host.example/acme/lib.git'],
    ['../../other/lib', 'https://host.example/other/lib'],
    ['./lib', 'https://host.example/acme/shop.git/lib'],
    ['.././lib', 'https://host.example/acme/lib'],
    ['../../../lib', null],
    ['git@github.com:acme/lib.git', 'https://github.com/acme/lib.git'],
    ['ssh://git@github.com/acme/lib.git', 'https://github.com/acme/lib.git'],
    // Left as they are, for the rules of repository URLs to refuse.
    ['ssh://-oProxyCommand=touch /x', 'ssh://-oProxyCommand=touch /x'],
    ['git@-oProxyCommand=touch:x', 'git@-oProxyCommand=touch:x'],
    ['ssh://git@host:22/acme/lib', 'ssh://git@host:22/acme/lib'],
    ['ssh://root@host/acme/lib', 'ssh://root@host/acme/lib'],
    ['file:///etc', 'file:///etc'],
    ['/etc', '/etc'],
    ['ext::sh -c id', 'ext::sh -c id'],
  ])('%s → %s', (url, expected) => {
    expect(resolveSubmoduleUrl('https://host.example/acme/shop.git', url)).toBe(expected);
  });

  test('keeps a port of the host', () => {
    expect(resolveSubmoduleUrl('http://127.0.0.1:8080/app.git', '../lib.git')).toBe(
      'http://127.0.0.1:8080/lib.git',
    );
  });
});

test('what is no submodule, or no path below the repository, is passed over', () => {
  const entries = [
    'core.x\n1',
    'submodule.lib.path\nvendor/lib',
    'submodule.lib.url\n../lib',
    'submodule.lib.update\n!touch /tmp/pwn',
    'submodule.with.dots.url\nhttps://github.com/acme/x?a\nb',
    'submodule.with.dots.path\nx',
    'submodule.no-url.path\ny',
    ...['../up', '/etc', 'a/../../b', '.git/hooks', 'a/.GIT', 'a//b', 'a\nb', 'a\\b', ''].flatMap((path) => [
      `submodule.${path.length}.path\n${path}`,
      `submodule.${path.length}.url\n../lib`,
    ]),
  ];
  expect(parseSubmodules(entries.map((entry) => `${entry}\0`).join(''))).toEqual([
    { name: 'lib', path: 'vendor/lib', url: '../lib' },
    { name: 'with.dots', path: 'x', url: 'https://github.com/acme/x?a\nb' },
  ]);
});

test('only what a tree has as a submodule counts as one', () => {
  const id = '0123456789abcdef0123456789abcdef01234567';
  const output = `160000 commit ${id}\tvendor/lib\0` + `040000 tree ${id}\tsrc\0` + `100644 blob ${id}\ta\0`;
  expect([...parseGitlinks(output)]).toEqual([['vendor/lib', id]]);
});
