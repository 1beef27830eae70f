import { expect, test } from '@jest/globals';
import { isPublicAddress } from './public-address.ts';

test.each(['140.82.121.3', '8.8.8.8', '2606:50c0:8000::153', '::ffff:8.8.8.8', '64:ff9b::8c52:7903'])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fd00::1',
  'fc00::1',
  'ff02::1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'fe80::1%eth0',
  'github.com',
  '',
])('T05: %j is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});
