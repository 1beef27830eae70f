import { expect, test } from '@jest/globals';
import { choosePort } from './choose-port.ts';

test.each([
  ['the setting', 3000, [8080], 3000],
  ['the single EXPOSE', null, [8080], 8080],
  ['80 when there are several', null, [8080, 9090], 80],
  ['80 when there is none', null, [], 80],
] as const)('the port is %s', (_, setting, exposed, port) => {
  expect(choosePort(setting, exposed)).toBe(port);
});
