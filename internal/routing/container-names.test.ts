import { expect, test } from '@jest/globals';
import { containerName } from './container-names.ts';

test.each([
  [1, 1, 'web-abcdefghij'],
  [2, 1, 'web-abcdefghij-2'],
  [1, 2, 'web-abcdefghij-1-2'],
  [3, 2, 'web-abcdefghij-3-2'],
])('attempt %i, replica %i is %s', (attempt, replica, name) => {
  expect(containerName({ appName: 'web', deploymentId: 'abcdefghij', attempt, replica })).toBe(name);
});
