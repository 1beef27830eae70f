import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Relay } from './relay.ts';

const DAEMON = '/var/run/docker.sock';

/** A socket in a folder of its own that leads to the real daemon, and can be replaced as an update of Docker does it. */
export class DaemonSocket {
  readonly folder: string;
  readonly #relay = new Relay();
  #server: Server | null = null;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(): Promise<DaemonSocket> {
    const socket = new DaemonSocket(await mkdtemp('/tmp/berth-socket-'));
    await socket.#listen();
    return socket;
  }

  /** All connections end, and a new socket is where the old one was: another file of the same name. */
  async replace(): Promise<void> {
    await this.#end();
    await this.#listen();
  }

  async close(): Promise<void> {
    await this.#end();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #listen(): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.#relay.join(client, connect({ path: DAEMON, allowHalfOpen: true }));
    }).listen(join(this.folder, 'docker.sock'));
    await once(this.#server, 'listening');
  }

  async #end(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#relay.endAll();
    // Removes its file, too.
    if (server) await new Promise((closed) => server.close(closed));
  }
}
