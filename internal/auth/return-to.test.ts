import { expect, test } from '@jest/globals';
import { isLocalPath } from './return-to.ts';

test.each(['/', '/ui', '/ui/apps/k3v5ahq2xd?tab=logs#end', '/a%2F%2Fb', '/?next=https://example.org'])(
  '%s is a path here',
  (path) => {
    expect(isLocalPath(path)).toBe(true);
  },
);

test.each([
  '',
  'ui',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  ' /ui',
  'https://evil.example',
  'javascript:alert(1)',
  '/ü',
  `/${'x'.repeat(500)}`,
])('T47: %j is none', (path) => {
  expect(isLocalPath(path)).toBe(false);
});
