import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Relay } from './relay.ts';

/**
 * A Unix socket as systemd holds it for dockerd (`-H fd://`): it outlives the server behind it, and who connects while
 * there is none is not refused, but waits for the next one.
 */
export class HeldSocket {
  readonly #relay = new Relay();
  readonly #server: Server;

  private constructor(path: string, serverPath: string) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.#relay.track(client);
      void this.#lead(client, serverPath);
    }).listen(path);
  }

  static async open(of: { path: string; serverPath: string }): Promise<HeldSocket> {
    const socket = new HeldSocket(of.path, of.serverPath);
    await once(socket.#server, 'listening');
    return socket;
  }

  async close(): Promise<void> {
    this.#relay.endAll();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #lead(client: Socket, serverPath: string): Promise<void> {
    while (!client.destroyed) {
      const server = await connected(serverPath);
      if (server) return this.#relay.join(client, server);
      await delay(20);
    }
  }
}

/** Null: nobody listens there. */
function connected(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}
