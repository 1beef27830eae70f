import type { ServerResponse } from 'node:http';
import type { EventSink, LogEvent } from './log-stream.ts';

export interface EventStreamOptions {
  readonly heartbeatMs: number;
  /** A client that takes nothing for so long is cut off; it comes back with its last id. */
  readonly stallMs: number;
}

const CLIENT_WAITS_MS = 1_000;

/** Server-sent events over one response, no faster than its client reads. */
export class EventStream implements EventSink {
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #ended = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;

  /** Sends the headers at once. */
  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response;
    this.#options = options;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${CLIENT_WAITS_MS}\n\n`);
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs);
    response.once('close', () => this.end());
    // A write that meets a connection just gone: 'close' follows and says all there is to say.
    response.on('error', () => undefined);
  }

  /** Aborted as soon as nothing more will be sent, whoever ended it. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Resolves when the client has taken it, or is gone. */
  async send(events: readonly LogEvent[]): Promise<void> {
    if (this.ended.aborted || events.length === 0) return;
    const hasRoom = this.#response.write(events.map(frame).join(''));
    if (!hasRoom) await this.#drained();
  }

  /** A client that does not read what it was sent is not waited for. */
  end(): void {
    if (this.ended.aborted) return;
    this.#ended.abort();
    clearInterval(this.#heartbeat);
    if (this.#response.writableNeedDrain) this.#response.destroy();
    else this.#response.end();
  }

  async #drained(): Promise<void> {
    const response = this.#response;
    const stall = setTimeout(() => response.destroy(), this.#options.stallMs);
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    });
    clearTimeout(stall);
  }

  #beat(): void {
    if (!this.#response.writableNeedDrain) this.#response.write(': still here\n\n');
  }
}

/** JSON has no line end in it: no content can forge a frame (T67). */
function frame({ id, event, data }: LogEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
