import type { WebSocket } from 'ws';
import { CLOSE, type CloseReason } from './close-code.ts';
import type { ServerMessage } from './server-message.ts';
import type { SocketLimits } from './socket-limits.ts';

/** One WebSocket: JSON both ways, one message after the other, no faster than the client reads (T69). */
export class Connection {
  readonly #socket: WebSocket;
  readonly #limits: SocketLimits;
  readonly #closed = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  #isAnswering = true;
  #isWriting = false;
  #waiting = 0;
  #handled: Promise<unknown> = Promise.resolve();
  #sent: Promise<unknown> = Promise.resolve();

  /** `handle` gets the texts of the client in their order, the next one when it is done with the one before. */
  constructor(socket: WebSocket, limits: SocketLimits, handle: (text: string) => Promise<void>) {
    this.#socket = socket;
    this.#limits = limits;
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs);
    socket.on('message', (data, isBinary) => {
      this.#isAnswering = true;
      // Text comes as one buffer too: the library's default.
      if (isBinary || !Buffer.isBuffer(data)) this.close(CLOSE.notText);
      else this.#enqueue(() => handle(data.toString()));
    });
    socket.on('ping', (data) => this.#reply(() => socket.pong(data)));
    socket.on('pong', () => {
      this.#isAnswering = true;
    });
    socket.on('close', () => this.#stop());
    // Broken frames, a connection just gone: 'close' follows, and there is nobody to tell.
    socket.on('error', () => undefined);
  }

  /** Aborted as soon as nothing more will be sent, whoever closed it. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** An answer. Of a client that asks and asks and takes none, the answers do not pile up. */
  tell(message: ServerMessage): void {
    this.#reply(() => this.#socket.send(JSON.stringify(message)));
  }

  /** Resolves when the client has taken them, or is gone. One batch at a time, so that is what waits in memory. */
  send(messages: readonly ServerMessage[], wanted: AbortSignal): Promise<void> {
    const sending = this.#sent.then(async () => {
      if (!wanted.aborted && !this.closed.aborted && messages.length > 0) await this.#write(messages);
    });
    this.#sent = sending;
    return sending;
  }

  /** The first reason counts. A client that does not answer the close is cut off by the library. */
  close({ code, reason }: CloseReason): void {
    if (this.closed.aborted) return;
    this.#stop();
    this.#socket.close(code, reason);
  }

  #enqueue(work: () => Promise<void>): void {
    if (this.#waiting >= this.#limits.waitingMessages) this.close(CLOSE.tooMany);
    if (this.closed.aborted) return;
    this.#waiting += 1;
    this.#handled = this.#handled.then(async () => {
      if (!this.closed.aborted) await work();
      this.#waiting -= 1;
    });
  }

  async #write(messages: readonly ServerMessage[]): Promise<void> {
    this.#isWriting = true;
    const stall = setTimeout(() => this.close(CLOSE.tooSlow), this.#limits.stallMs);
    await new Promise<void>((resolve) => {
      const done = () => {
        // Taken off again each time: a socket that is open for days sends often.
        this.closed.removeEventListener('abort', done);
        resolve();
      };
      this.closed.addEventListener('abort', done);
      const texts = messages.map((message) => JSON.stringify(message));
      // Written in order, so the last one's callback speaks for all.
      for (const [index, text] of texts.entries()) {
        this.#socket.send(text, index === texts.length - 1 ? done : undefined);
      }
    });
    clearTimeout(stall);
    this.#isWriting = false;
  }

  #reply(send: () => void): void {
    if (this.closed.aborted) return;
    if (this.#socket.bufferedAmount > this.#limits.unreadBytes) this.close(CLOSE.tooSlow);
    else send();
  }

  /** While events are on their way, the stall decides and not the missing answer. */
  #beat(): void {
    if (this.#isWriting) return;
    if (this.#isAnswering) this.#socket.ping();
    else this.close(CLOSE.tooSlow);
    this.#isAnswering = false;
  }

  #stop(): void {
    clearInterval(this.#heartbeat);
    this.#closed.abort();
  }
}
