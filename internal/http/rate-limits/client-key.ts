import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

const V6_NETWORK_BYTES = 8;

/**
 * Under which name an address is counted. A home or a rented server has a whole /64 of IPv6, so one address of it says
 * nothing; IPv4 that comes mapped into IPv6 is the same client.
 */
export function clientKey(address: string): string {
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  const network = parsed.toByteArray().fill(0, V6_NETWORK_BYTES);
  return `${ipaddr.fromByteArray(network).toString()}/64`;
}
