import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../logger/logger.ts';
import type { Secret } from '../secrets/secret.ts';

type Listener = (payload: string) => void;

export interface NotificationOptions {
  /** How often the connection is asked whether it is still there; a half-open one is silent. */
  readonly probeMs?: number;
  readonly firstRetryMs?: number;
  readonly maxRetryMs?: number;
}

/**
 * LISTEN on a connection of its own. A hint that saves waiting, never a duty: what is notified while the connection is
 * down is lost, so after every reconnect each listener is called once with '' (= look yourself), and polling must work
 * without any of this.
 */
export class Notifications {
  readonly #url: Secret;
  readonly #logger: Logger;
  readonly #options: Required<NotificationOptions>;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #closed = new AbortController();
  #client: pg.Client | null = null;
  #running: Promise<void> | null = null;

  constructor(url: Secret, logger: Logger, options: NotificationOptions = {}) {
    this.#url = url;
    this.#logger = logger;
    this.#options = { probeMs: 10_000, firstRetryMs: 100, maxRetryMs: 5_000, ...options };
  }

  /** Returns after the first attempt to connect, whether it worked or not: a database that is down is waited for. */
  async start(): Promise<void> {
    if (this.#running) return;
    const client = await this.#connect().catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'no notifications yet, polling only');
      return null;
    });
    this.#running = this.#keepConnected(client);
  }

  /** Returns the function that ends it. May be called before start() and while the connection is down. */
  subscribe(channel: string, listener: Listener): () => void {
    // A channel is an identifier in LISTEN, where no parameter can stand.
    if (!/^[a-z_]+$/.test(channel)) throw new RangeError(`not a channel name: ${channel}`);
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    if (listeners.size === 1) this.#send(`LISTEN ${channel}`);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      if (this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      this.#send(`UNLISTEN ${channel}`);
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  async #keepConnected(first: pg.Client | null): Promise<void> {
    let client = first;
    do {
      client ??= await this.#reconnect();
      if (client !== null) await this.#watch(client);
      client = null;
    } while (!this.#closed.signal.aborted);
  }

  /** Null: we were closed before it worked. */
  async #reconnect(): Promise<pg.Client | null> {
    const signal = this.#closed.signal;
    for (let waitMs = this.#options.firstRetryMs; ; waitMs = Math.min(waitMs * 2, this.#options.maxRetryMs)) {
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return null;
      try {
        const client = await this.#connect();
        this.#logger.info('notifications are back');
        this.#wakeAll();
        return client;
      } catch (error) {
        this.#logger.debug({ err: error }, 'notifications still off');
      }
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url.reveal(),
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
      keepAlive: true,
      application_name: 'berth notifications',
    });
    // Without this listener a lost connection ends the process; what to do about it is decided on 'end'.
    client.on('error', (error) => this.#logger.warn({ err: error }, 'notifications lost, polling only'));
    client.on('notification', ({ channel, payload }) => this.#deliver(channel, payload ?? ''));
    try {
      await client.connect();
      // From here on a subscription sends its own LISTEN, behind this one.
      this.#client = client;
      for (const channel of this.#listeners.keys()) await client.query(`LISTEN ${channel}`);
      return client;
    } catch (error) {
      this.#client = null;
      await end(client);
      throw error;
    }
  }

  /** Until the connection is lost or found dead, or we are closed. */
  async #watch(client: pg.Client): Promise<void> {
    const lost = new AbortController();
    client.once('end', () => lost.abort());
    const over = AbortSignal.any([lost.signal, this.#closed.signal]);
    while (!over.aborted) {
      await delay(this.#options.probeMs, undefined, { signal: over, ref: false }).catch(() => undefined);
      if (over.aborted) break;
      await client.query('SELECT 1').catch(() => lost.abort());
    }
    this.#client = null;
    await end(client);
  }

  #send(statement: string): void {
    this.#client?.query(statement).catch((error: unknown) => {
      this.#logger.debug({ err: error }, 'listen failed, the reconnect repeats it');
    });
  }

  #wakeAll(): void {
    for (const channel of this.#listeners.keys()) this.#deliver(channel, '');
  }

  #deliver(channel: string, payload: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        this.#logger.error({ err: error, channel }, 'a listener failed');
      }
    }
  }
}

/** Ends a connection that may be dead already; its socket is then cut, not waited for. */
async function end(client: pg.Client): Promise<void> {
  const ended = client.end().catch(() => undefined);
  await Promise.race([ended, delay(1_000, undefined, { ref: false })]);
}
