import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Secret } from '../../internal/secrets/secret.ts';

/** A way to the database that can be cut: refused, or frozen as by a firewall that drops packets. */
export class BreakableNetwork {
  readonly url: Secret;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = true;

  private constructor(server: Server, url: Secret) {
    this.#server = server;
    this.url = url;
  }

  static async before(database: Secret): Promise<BreakableNetwork> {
    const target = new URL(database.reveal());
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = new URL(database.reveal());
    url.port = String(address.port);
    const network = new BreakableNetwork(server, new Secret(url.href));
    server.on('connection', (socket) => network.#join(socket, Number(target.port)));
    return network;
  }

  #join(near: Socket, port: number): void {
    if (!this.#open) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
  }

  refuse(): void {
    this.#open = false;
  }

  allow(): void {
    this.#open = true;
  }

  /** As when the server ends: what is connected breaks off, and nothing new gets through. */
  cut(): void {
    this.refuse();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Both ends of what is connected now stay open and hear nothing more of each other. */
  freeze(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
