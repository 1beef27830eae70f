import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

const DAEMON = '/var/run/docker.sock';

/** A socket in a folder of its own that leads to the real daemon, and can be replaced as an update of Docker does it. */
export class DaemonSocket {
  readonly folder: string;
  readonly #open = new Set<Socket>();
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
      const daemon = this.#track(connect({ path: DAEMON, allowHalfOpen: true }));
      this.#track(client).pipe(daemon).pipe(client);
      client.on('close', () => daemon.destroy());
      daemon.on('close', () => client.destroy());
    }).listen(join(this.folder, 'docker.sock'));
    await once(this.#server, 'listening');
  }

  async #end(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#open) socket.destroy();
    // Removes its file, too.
    if (server) await new Promise((closed) => server.close(closed));
  }

  #track(socket: Socket): Socket {
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#open.delete(socket));
    return socket;
  }
}
