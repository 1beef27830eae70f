import type { EventSink, LogEvent, StreamEnd } from '../logs/log-stream.ts';
import type { Topic } from './client-message.ts';
import type { Connection } from './connection.ts';
import { eventMessage } from './server-message.ts';

/** The events of one log on their way to one socket, which may have several. */
export class Subscription implements EventSink {
  readonly topic: Topic;
  readonly #connection: Connection;
  readonly #ended = new AbortController();
  readonly #onEnd: (why: StreamEnd) => void;

  constructor(topic: Topic, connection: Connection, onEnd: (why: StreamEnd) => void) {
    this.topic = topic;
    this.#connection = connection;
    this.#onEnd = onEnd;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  send(events: readonly LogEvent[]): Promise<void> {
    const messages = events.map((event) => eventMessage(this.topic, event));
    return this.#connection.send(messages, this.ended);
  }

  end(why: StreamEnd): void {
    if (this.ended.aborted) return;
    this.#ended.abort();
    this.#onEnd(why);
  }

  /** The client has had enough. */
  cancel(): void {
    this.#ended.abort();
  }
}
