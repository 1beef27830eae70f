import { describe, expect, test } from '@jest/globals';
import { chooseSubnet, cidrRange, hostAddresses } from './subnets.ts';

describe('a subnet for a project', () => {
  test('is the first /24 of the pool when nothing is in use', () => {
    expect(chooseSubnet('10.89.0.0/16', [])).toBe('10.89.0.0/24');
  });

  test('avoids what overlaps, larger or smaller than itself', () => {
    expect(chooseSubnet('10.89.0.0/16', ['10.89.0.0/23', '10.89.2.128/25', '172.17.0.0/16'])).toBe(
      '10.89.3.0/24',
    );
  });

  test('is none when a route covers the whole pool', () => {
    expect(chooseSubnet('10.89.0.0/16', ['10.0.0.0/8'])).toBeNull();
  });

  test('has 253 addresses, the first after the gateway', () => {
    const addresses = hostAddresses('10.89.4.0/24');
    expect(addresses).toHaveLength(253);
    expect(addresses[0]).toBe('10.89.4.2');
    expect(addresses.at(-1)).toBe('10.89.4.254');
  });

  test.each(['10.0.0.0', '10.0.0.0/33', '256.0.0.0/8', 'x/8', ''])('%j is no CIDR', (text) => {
    expect(() => cidrRange(text)).toThrow(RangeError);
  });
});
