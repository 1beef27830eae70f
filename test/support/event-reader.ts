import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { waitUntil } from './wait-until.ts';

export interface ReceivedEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: unknown;
}

/** As long as a build may take beside others: what is awaited here is written by one. */
const WAIT_MS = 120_000;

/** A client of server-sent events, as strict as a browser's: a frame ends with an empty line, a field with its line. */
export class EventReader {
  readonly events: ReceivedEvent[] = [];
  readonly comments: string[] = [];
  status: number | null = null;
  headers: IncomingMessage['headers'] = {};
  isClosed = false;
  readonly #request: ClientRequest;
  #response: IncomingMessage | null = null;
  #rest = '';

  constructor(at: { port: number; path: string; headers?: Readonly<Record<string, string>> }) {
    this.#request = request({ host: '127.0.0.1', agent: false, ...at }, (response) => {
      this.status = response.statusCode ?? 0;
      this.headers = response.headers;
      this.#response = response;
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.#read(text));
      response.on('error', () => undefined);
      response.on('close', () => {
        this.isClosed = true;
      });
    });
    this.#request.on('error', () => {
      this.isClosed = true;
    });
    this.#request.end();
  }

  get lastId(): string | null {
    return this.events.findLast(({ id }) => id !== null)?.id ?? null;
  }

  /** Stops reading without closing: a stuck client. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  close(): void {
    this.#request.destroy();
  }

  opened(): Promise<unknown> {
    return waitUntil('the answer to begin', () => this.status !== null, { intervalMs: 5 });
  }

  closed(): Promise<unknown> {
    return waitUntil('the stream to end', () => this.isClosed, { intervalMs: 5, timeoutMs: WAIT_MS });
  }

  /** @param explain more of why they do not come */
  count(events: number, explain: () => string | Promise<string> = () => ''): Promise<unknown> {
    return waitUntil(`${events} events`, () => this.events.length >= events, {
      intervalMs: 5,
      timeoutMs: WAIT_MS,
      explain: async () => `got ${this.events.length}\n${await explain()}`,
    });
  }

  #read(text: string): void {
    const frames = (this.#rest + text).split('\n\n');
    this.#rest = frames.pop() ?? '';
    for (const frame of frames) this.#take(frame.split('\n'));
  }

  #take(lines: readonly string[]): void {
    const field = (name: string) =>
      lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
    this.comments.push(...lines.filter((line) => line.startsWith(':')));
    const data = field('data');
    if (data.length === 0) return;
    this.events.push({
      id: field('id')[0] ?? null,
      event: field('event')[0] ?? 'message',
      data: JSON.parse(data.join('\n')) as unknown,
    });
  }
}
