import { WebSocket } from 'ws';
import { waitUntil } from './wait-until.ts';

export interface SocketMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A client of the API's WebSocket that keeps all it was sent. */
export class SocketClient {
  readonly messages: SocketMessage[] = [];
  /** Of the answer when no WebSocket was opened. */
  status: number | null = null;
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: WebSocket;

  constructor(
    port: number,
    options: { path?: string; headers?: Readonly<Record<string, string>>; answersPings?: boolean } = {},
  ) {
    const { path = '/api/v1/ws', headers = {}, answersPings = true } = options;
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers, autoPong: answersPings });
    this.#socket.on('message', (data: Buffer) =>
      this.messages.push(JSON.parse(data.toString()) as SocketMessage),
    );
    this.#socket.on('unexpected-response', (_request, response) => {
      this.status = response.statusCode ?? 0;
      this.#socket.terminate();
    });
    this.#socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    this.#socket.on('error', () => undefined);
  }

  /** Open, or refused. */
  async answered(): Promise<this> {
    await waitUntil('the upgrade to be answered', () => this.#socket.readyState !== WebSocket.CONNECTING, {
      intervalMs: 5,
    });
    return this;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  async send(message: object | string): Promise<void> {
    await this.answered();
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.send(bytes);
  }

  ping(): void {
    this.#socket.ping();
  }

  /** Stops reading without closing: a stuck client. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }

  of(...types: readonly string[]): SocketMessage[] {
    return this.messages.filter(({ type }) => types.includes(type));
  }

  /** The numbers of the events, in the order they came. */
  get ids(): number[] {
    return this.messages.flatMap(({ id }) => (typeof id === 'number' ? [id] : []));
  }

  count(messages: number): Promise<unknown> {
    return waitUntil(`${messages} messages`, () => this.messages.length >= messages, {
      intervalMs: 5,
      explain: () => JSON.stringify([this.closed, ...this.messages.slice(-5)]),
    });
  }

  got(type: string): Promise<SocketMessage> {
    return waitUntil(`a message ${type}`, () => this.messages.find((message) => message.type === type), {
      intervalMs: 5,
      explain: () => JSON.stringify([this.closed, ...this.messages.slice(-5)]),
    });
  }

  untilClosed(): Promise<{ readonly code: number; readonly reason: string }> {
    return waitUntil('the socket to be closed', () => this.closed, { intervalMs: 5 });
  }
}
