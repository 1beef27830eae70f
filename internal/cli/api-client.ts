import { randomUUID } from 'node:crypto';
import type { Secret } from '../secrets/secret.ts';
import type { Page } from './api-views.ts';
import { explainAnswer, explainSilence } from './explain-answer.ts';
import { Patience } from './patience.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

const REQUEST_MS = 30_000;
/** The API says something at least every 15 seconds; a stream that is silent for longer is dead. */
const SILENCE_MS = 45_000;
const LARGEST_PAGE = 200;
const PATIENCE_TO_ASK = { outageMs: 10_000, firstPauseMs: 500, longestPauseMs: 2_000 };

/**
 * The API over HTTP, with a token. Every method throws CliError with a sentence, or the reason of `signal` when that
 * was aborted.
 */
export class ApiClient {
  readonly url: string;
  readonly #token: Secret | null;
  readonly #signal: AbortSignal;

  constructor(options: { url: string; token: Secret | null; signal: AbortSignal }) {
    this.url = options.url;
    this.#token = options.token;
    this.#signal = options.signal;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.#call<T>('GET', withQuery(path, query));
  }

  /** Sent again when the answer got lost, under one key: so it takes effect once. */
  post<T>(path: string, body: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const request = { headers, body: JSON.stringify(body) };
    const patience = new Patience({ signal: this.#signal, limits: PATIENCE_TO_ASK });
    return patience.ask(() => this.#call<T>('POST', path, request));
  }

  delete<T>(path: string): Promise<T> {
    return this.#call<T>('DELETE', path);
  }

  /** The items of all pages, or so many of them. */
  async list<T>(path: string, query: Query = {}, limit = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const size = Math.min(LARGEST_PAGE, limit - items.length);
      const page: Page<T> = await this.get(path, { ...query, limit: size, cursor });
      items.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined && items.length < limit);
    return items;
  }

  /** The text of an event stream as it comes; null when nothing more will come. Ends, or throws, when it is cut. */
  async openStream(
    path: string,
    options: { query: Query; lastEventId: string | null },
  ): Promise<AsyncIterable<string> | null> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new DOMException('', 'TimeoutError')), SILENCE_MS);
    const headers = {
      accept: 'text/event-stream',
      ...(options.lastEventId === null ? {} : { 'last-event-id': options.lastEventId }),
    };
    try {
      const answer = await this.#fetch('GET', withQuery(path, options.query), {
        headers,
        signal: silence.signal,
      });
      if (answer.ok && answer.body !== null && answer.status !== 204) return this.#read(answer.body, timer);
      clearTimeout(timer);
      if (answer.ok) return null;
      throw await this.#failure(answer);
    } catch (error) {
      clearTimeout(timer);
      throw error;
    }
  }

  async *#read(body: ReadableStream<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body) {
        timer.refresh();
        yield decoder.decode(bytes, { stream: true });
      }
    } catch (error) {
      throw this.#explain(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #call<T>(
    method: string,
    path: string,
    request: { headers: Record<string, string>; body?: string } = { headers: {} },
  ): Promise<T> {
    const answer = await this.#fetch(method, path, { ...request, signal: AbortSignal.timeout(REQUEST_MS) });
    if (!answer.ok) throw await this.#failure(answer);
    const text = await this.#text(answer);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw explainAnswer({ apiUrl: this.url, status: answer.status, body: text, location: null });
    }
  }

  async #fetch(
    method: string,
    path: string,
    init: { headers: Record<string, string>; signal: AbortSignal; body?: string },
  ): Promise<Response> {
    const headers = this.#token ? { authorization: `Bearer ${this.#token.reveal()}` } : {};
    try {
      return await fetch(`${this.url}/api/v1${path}`, {
        ...init,
        method,
        headers: { ...init.headers, ...headers },
        // Nobody sends our token on to somewhere else.
        redirect: 'manual',
        signal: AbortSignal.any([this.#signal, init.signal]),
      });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async #failure(answer: Response): Promise<Error> {
    const location = answer.headers.get('location');
    return explainAnswer({
      apiUrl: this.url,
      status: answer.status,
      body: await this.#text(answer),
      location,
    });
  }

  async #text(answer: Response): Promise<string> {
    try {
      return await answer.text();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    return this.#signal.aborted ? this.#signal.reason : explainSilence(this.url, error);
  }
}

function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}
