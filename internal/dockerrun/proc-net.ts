import type { ListeningPort } from '../engine/ports.ts';

const LISTEN = '0A';
const ESTABLISHED = '01';
/** 127.0.0.11 as the kernel prints it on a little-endian machine: Docker's resolver listens there in every container. */
const DOCKER_RESOLVER = '0B00007F';

interface Socket {
  readonly address: string;
  readonly port: number;
  readonly peer: string;
  readonly state: string;
}

/** Ports in LISTEN state in the text of /proc/net/tcp and tcp6, ascending, each once. */
export function listeningPorts(table: string): ListeningPort[] {
  const onlyLoopback = new Map<number, boolean>();
  for (const { address, port, state } of sockets(table)) {
    if (state !== LISTEN || address === DOCKER_RESOLVER) continue;
    onlyLoopback.set(port, isLoopback(address) && (onlyLoopback.get(port) ?? true));
  }
  return [...onlyLoopback]
    .map(([port, loopbackOnly]) => ({ port, loopbackOnly }))
    .sort((a, b) => a.port - b.port);
}

/** Connections to that port in ESTABLISHED state, not counting those the container has with itself over loopback. */
export function establishedConnections(table: string, port: number): number {
  return sockets(table).filter(
    (socket) => socket.state === ESTABLISHED && socket.port === port && !isLoopback(socket.peer),
  ).length;
}

/** Networks the host has routes to, as CIDR, from the text of /proc/net/route; the default route is left out. */
export function routedSubnets(table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const [, destination = '', , , , , , mask = ''] = line.trim().split(/\s+/);
    if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask) || mask === '00000000') return [];
    const bits = littleEndianBytes(mask)
      .map((byte) => byte.toString(2).replaceAll('0', '').length)
      .reduce((sum, ones) => sum + ones, 0);
    return [`${littleEndianBytes(destination).join('.')}/${bits}`];
  });
}

/** The state column may be a hex pair only; anything else is the head line or no table at all. */
function sockets(table: string): Socket[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (!/^[0-9A-F]{2}$/.test(state) || !/^[0-9A-F]{4}$/.test(port)) return [];
    return [{ address, port: Number.parseInt(port, 16), peer: remote.split(':')[0] ?? '', state }];
  });
}

/** 127.0.0.0/8, ::1, and ::ffff:127.0.0.0/8, printed as little-endian words. */
function isLoopback(address: string): boolean {
  return (
    /^[0-9A-F]{6}7F$/.test(address) ||
    address === '00000000000000000000000001000000' ||
    /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(address)
  );
}

function littleEndianBytes(hex: string): number[] {
  return [...Buffer.from(hex, 'hex')].reverse();
}
