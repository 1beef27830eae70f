import { describe, expect, test } from '@jest/globals';
import { judgeEngine, warningsOf } from './engine-support.ts';

describe('A22: an engine', () => {
  test.each([
    ['of Debian 12', '20.10.24+dfsg1', '1.41', 'known'],
    ['between', '25.0.3', '1.44', 'known'],
    ['of the newest major version', '29.1.0', '1.52', 'known'],
    ['built by hand, whose version is a word', 'dev', '1.48', 'known'],
    ['of a major version to come', '30.0.0', '1.60', 'newer'],
    ['before 20.10', '19.03.15', '1.40', 'too-old'],
    ['whose API is older than its version says', '20.10.0', '1.40', 'too-old'],
    ['of another maker, that counts from one', '5.0.3', '1.41', 'too-old'],
  ])('%s (%s, API %s) is %s', (_which, version, apiVersion, kind) => {
    expect(judgeEngine({ version, apiVersion }).kind).toBe(kind);
  });

  test('that is too old is refused in one sentence with both versions and the remedy', () => {
    expect(judgeEngine({ version: '19.03.15', apiVersion: '1.40' })).toEqual({
      kind: 'too-old',
      line: 'Docker Engine 19.03.15 (API 1.40) is too old: install 20.10 or newer.',
    });
  });
});

const NEW = { version: '29.1.0', apiVersion: '1.52', runc: '1.3.4' };

test.each([
  ['1.1.5+ds1', true],
  ['1.2.7', true],
  ['1.2.8', false],
  ['1.3.2', true],
  ['1.3.3', false],
  ['1.4.0-rc.3', false],
  ['1.5.0', false],
  ['2.0.0', false],
  ['0.1', false],
  ['unknown', false],
  [undefined, false],
])('T17: of runc %s the operator is told: %s', (runc, isTold) => {
  const line = expect.stringContaining(`runc ${runc} `);
  expect(warningsOf({ ...NEW, runc })).toEqual(isTold ? [{ code: 'runc_outdated', line }] : []);
});

test.each([
  ['20.10.24+dfsg1', ['moby/moby#46661', 'CVE-2024-23653']],
  ['20.10.27', ['moby/moby#46661', 'CVE-2024-23653']],
  ['23.0.0', ['CVE-2024-23653']],
  ['24.0.9', ['CVE-2024-23653']],
  ['25.0.1', ['CVE-2024-23653']],
  ['25.0.2', []],
  ['26.0', []],
  ['29.1.0', []],
  ['dev', []],
])('T17, F18: of an engine %s the operator is told %j', (version, reasons) => {
  const warnings = warningsOf({ ...NEW, version });
  expect(warnings.map(({ code }) => code)).toEqual(reasons.map(() => 'engine_outdated'));
  for (const [at, reason] of reasons.entries()) {
    expect(warnings[at]?.line).toContain(`Docker Engine ${version} `);
    expect(warnings[at]?.line).toContain(reason);
  }
});
