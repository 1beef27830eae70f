import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface StallingProxy {
  readonly port: number;
  /** Connections made while it stalls; they are accepted and get nothing. */
  stalled(): number;
  /** From now on nothing goes through new connections. */
  stall(): void;
  /** New connections work again; those that stalled stay so. */
  resume(): void;
  close(): Promise<void>;
}

/** A TCP proxy in front of 127.0.0.1:`target` that can go silent without closing anything: a hung Git server. */
export async function startStallingProxy(target: number): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  let isStalling = false;
  let stalled = 0;
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    track(client);
    if (isStalling) {
      stalled += 1;
      return;
    }
    const upstream = track(connect(target, '127.0.0.1'));
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stalled: () => stalled,
    stall: () => {
      isStalling = true;
    },
    resume: () => {
      isStalling = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
