import type { Socket } from 'node:net';

/** Connections that are passed on to another server, and can be ended all at once. */
export class Relay {
  readonly #open = new Set<Socket>();

  /** It is ended with the others. */
  track(socket: Socket): Socket {
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#open.delete(socket));
    return socket;
  }

  /** What one says the other hears, and neither outlives the other. */
  join(near: Socket, far: Socket): void {
    this.track(near).pipe(this.track(far)).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }

  endAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
