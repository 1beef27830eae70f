/** IPv4 arithmetic for project networks: a /24 each out of one pool. Pure; the worker says what is in use. */

interface Range {
  readonly first: number;
  readonly last: number;
}

/** CIDR as first and last address. @throws RangeError when it is none. */
export function cidrRange(cidr: string): Range {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  const parts = match?.slice(1).map(Number) ?? [];
  const [a = 256, b = 256, c = 256, d = 256, bits = 33] = parts;
  if (bits > 32 || [a, b, c, d].some((part) => part > 255)) throw new RangeError(`not an IPv4 CIDR: ${cidr}`);
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

/** The first /24 of the pool that overlaps nothing in use; null when the pool is full. */
export function chooseSubnet(pool: string, used: readonly string[]): string | null {
  const { first, last } = cidrRange(pool);
  const taken = used.map(cidrRange);
  for (let start = Math.ceil(first / 256) * 256; start + 255 <= last; start += 256) {
    if (!taken.some((range) => range.first <= start + 255 && start <= range.last))
      return `${formatAddress(start)}/24`;
  }
  return null;
}

/** Addresses containers may have: all but the network, Docker's gateway (.1) and broadcast. */
export function hostAddresses(subnet: string): string[] {
  const { first, last } = cidrRange(subnet);
  return Array.from({ length: Math.max(0, last - first - 2) }, (_, index) =>
    formatAddress(first + 2 + index),
  );
}
