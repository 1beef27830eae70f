import ipaddr from 'ipaddr.js';

/**
 * Is this IP address one of the public Internet? Not so: private, loopback, link-local (also the clouds' metadata
 * service), carrier-grade NAT, unique local, multicast, reserved; nor an IPv6 address that carries such an IPv4 one.
 * Text that is no address is not public either.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  // On IPv6-only machines every IPv4 host is seen through NAT64 (RFC 6052): what counts is the address inside.
  if (address instanceof ipaddr.IPv6 && address.range() === 'rfc6052') {
    return isPublicAddress(ipaddr.fromByteArray(address.toByteArray().slice(12)).toString());
  }
  return address.range() === 'unicast';
}
