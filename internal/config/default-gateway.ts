import { readFileSync } from 'node:fs';

const ROUTES = '/proc/net/route';

/** Where the routes of this machine, or of this container, lead by default. Null: nowhere, or it cannot be told. */
export function defaultGateway(): string | null {
  try {
    return gatewayIn(readFileSync(ROUTES, 'utf8'));
  } catch {
    return null;
  }
}

/** The kernel's table: one route a line, addresses as eight hex digits with the last byte first. */
export function gatewayIn(table: string): string | null {
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway = ''] = line.split('\t');
    if (destination === '00000000' && /^[0-9A-F]{8}$/i.test(gateway) && gateway !== '00000000') {
      return [...Buffer.from(gateway, 'hex')].toReversed().join('.');
    }
  }
  return null;
}
