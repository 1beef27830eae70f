import { describe, expect, test } from '@jest/globals';
import { type EnvVariable, mayBeBuildArgument, problemOfKey, problemOfValue, problemsOf } from './env-var.ts';

const variable = (more: Partial<EnvVariable>): EnvVariable => ({
  key: 'KEY',
  value: 'v',
  scope: 'runtime',
  ...more,
});
const many = (count: number, value: string) =>
  Array.from({ length: count }, (_, index) => variable({ key: `K${index}`, value }));

describe('T36: a key', () => {
  test.each(['A', '_', 'PATH', 'a1_B', '__proto__', 'PORT', 'K'.repeat(128)])('%s is usable', (key) => {
    expect(problemOfKey(key)).toBeNull();
  });

  test.each(['', 'A=B', 'A\nB', '$(id)', '1A', 'A-B', 'A B', 'Ä', '🔑', 'A\0', 'A\n', 'K'.repeat(129)])(
    '%j is refused',
    (key) => {
      expect(problemOfKey(key)).toMatch(/^must be a letter or _/);
    },
  );
});

describe('T36: a value', () => {
  test.each(['', ' ', 'a"b\'c`d$e#f\\g\nh\ri\tj=k', '日本語🎉', '\u0001\u007f\ufeff', 'x'.repeat(32_768)])(
    '%# of any text is usable',
    (value) => {
      expect(problemOfValue(value)).toBeNull();
    },
  );

  test.each([
    ['a NUL', 'a\0b'],
    ['half a character', 'a\ud800b'],
    ['32 KB and a byte', 'x'.repeat(32_769)],
    ['32 KB of characters that are more bytes', '€'.repeat(32_768 / 2)],
  ])('with %s is refused, without a word of it', (_what, value) => {
    expect(problemOfValue(value)).not.toBeNull();
    expect(problemOfValue(value)).not.toContain(value.slice(0, 2));
  });
});

describe('T36: an environment', () => {
  test('of 200 variables and 100 KB is usable', () => {
    expect(problemsOf(many(200, 'x'.repeat(512)))).toEqual([]);
  });

  test('of 201 variables, or of 100 KB and a byte, is not', () => {
    expect(problemsOf(many(201, ''))).toMatchObject([{ message: 'must have at most 200 variables' }]);
    expect(problemsOf([...many(4, 'x'.repeat(25_600)), variable({})])).toMatchObject([
      { field: 'environment', message: expect.stringContaining('102400 bytes') },
    ]);
  });
});

describe('T22: a build argument', () => {
  const forbidden = ['HTTP_PROXY', 'https_proxy', 'No_Proxy', 'ALL_PROXY', 'BUILDKIT_SYNTAX', 'TARGETARCH'];

  test.each([...forbidden, 'BUILDPLATFORM', 'TARGETSTAGE', 'BUILDKIT_INLINE_CACHE'])(
    'may not be named %s',
    (key) => {
      expect(mayBeBuildArgument(key)).toBe(false);
      expect(problemsOf([variable({ key, scope: 'build' })])).toMatchObject([{ field: key }]);
      expect(problemsOf([variable({ key, scope: 'both' })])).toMatchObject([{ field: key }]);
      expect(problemsOf([variable({ key, scope: 'runtime' })])).toEqual([]);
    },
  );

  test.each(['VITE_API_URL', 'NPM_TOKEN', 'MY_HTTP_PROXY', 'BUILD_OS', 'TARGET'])(
    'may be named %s',
    (key) => {
      expect(problemsOf([variable({ key, scope: 'build' })])).toEqual([]);
    },
  );
});
