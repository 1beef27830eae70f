import { expect, test } from '@jest/globals';
import { parseLfsPointer } from './lfs-pointer.ts';

const oid = 'a'.repeat(64);
const version = 'version https://git-lfs.github.com/spec/v1';

test('a pointer tells what file stands behind it', () => {
  expect(parseLfsPointer(`${version}\noid sha256:${oid}\nsize 12345\n`)).toEqual({ oid, size: 12345 });
});

test.each([
  ['text', 'hello\n'],
  ['a text that tells of pointers', `See:\n${version}\noid sha256:${oid}\nsize 1\n`],
  ['an id that is none', `${version}\noid sha256:../../etc/passwd\nsize 1\n`],
  ['another hash', `${version}\noid md5:${oid}\nsize 1\n`],
  ['a size that is none', `${version}\noid sha256:${oid}\nsize -1\n`],
  ['an extension', `${version}\next-0-foo sha256:${oid}\noid sha256:${oid}\nsize 1\n`],
])('%s is none', (_what, text) => {
  expect(parseLfsPointer(text)).toBeNull();
});
