import { randomUUID } from 'node:crypto';
import { Secret } from '../secrets/secret.ts';
import type { Page } from './api-views.ts';
import { explainAnswer, explainSilence } from './explain-answer.ts';
import { Patience } from './patience.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

const REQUEST_MS = 30_000;
/** The API says something at least every 15 seconds; a stream that is silent for longer is dead. */
const SILENCE_MS = 45_000;
const LARGEST_PAGE = 200;
const PATIENCE_TO_ASK = { outageMs: 10_000, firstPauseMs: 500, longestPauseMs: 2_000 };

/** What shows who we are: a token, or the cookies of a session. */
type Credentials = { readonly token: Secret | null } | { readonly cookies: Secret };

/**
 * The API over HTTP, with a token. Every method throws CliError with a sentence, or the reason of `signal` when that
 * was aborted.
 */
export class ApiClient {
  readonly url: string;
  readonly #credentials: Credentials;
  readonly #signal: AbortSignal;

  constructor(options: { url: string; signal: AbortSignal } & Credentials) {
    this.url = options.url;
    this.#credentials = 'cookies' in options ? { cookies: options.cookies } : { token: options.token };
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

  /** Sent once, for what must not take effect twice and knows no keys. */
  postOnce<T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#call<T>('POST', path, { headers, body: JSON.stringify(body) });
  }

  /**
   * Does what a token may not: signed in with it as a browser is, the cookie in memory, signed out at the end. Where
   * the API runs with AUTH=none there is no signing in, and no need for it.
   */
  async inSession<T>(work: (client: ApiClient) => Promise<T>): Promise<T> {
    const answer = await this.#fetch('POST', '/auth/session', {
      headers: {},
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const isWithoutSignIn = answer.status === 404;
    if (!answer.ok && !isWithoutSignIn) throw await this.#failure(answer);
    await this.#text(answer);
    if (isWithoutSignIn) return work(this);
    const cookies = new Secret(answer.headers.getSetCookie().map(pairOf).join('; '));
    const client = new ApiClient({ url: this.url, cookies, signal: this.#signal });
    try {
      return await work(client);
    } finally {
      // Left open it would end by itself; what was done counts more than that.
      await client.postOnce('/auth/logout', {}).catch(() => undefined);
    }
  }

  /** Sent again when the answer got lost: it leaves the same each time. */
  put<T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const request = { headers, body: JSON.stringify(body) };
    const patience = new Patience({ signal: this.#signal, limits: PATIENCE_TO_ASK });
    return patience.ask(() => this.#call<T>('PUT', path, request));
  }

  /** An answer that is plain text. */
  async text(path: string): Promise<string> {
    const answer = await this.#fetch('GET', path, { headers: {}, signal: AbortSignal.timeout(REQUEST_MS) });
    if (!answer.ok) throw await this.#failure(answer);
    return this.#text(answer);
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
      return (answer.status === 204 ? null : JSON.parse(text)) as T;
    } catch {
      throw explainAnswer({ apiUrl: this.url, status: answer.status, body: text, location: null });
    }
  }

  async #fetch(
    method: string,
    path: string,
    init: { headers: Record<string, string>; signal: AbortSignal; body?: string },
  ): Promise<Response> {
    try {
      return await fetch(`${this.url}/api/v1${path}`, {
        ...init,
        method,
        headers: { ...init.headers, ...this.#credentialHeaders() },
        // Nobody sends our token on to somewhere else.
        redirect: 'manual',
        signal: AbortSignal.any([this.#signal, init.signal]),
      });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #credentialHeaders(): Record<string, string> {
    // With a session the API wants to know which page sends a request.
    if ('cookies' in this.#credentials) {
      return { cookie: this.#credentials.cookies.reveal(), origin: new URL(this.url).origin };
    }
    const { token } = this.#credentials;
    return token ? { authorization: `Bearer ${token.reveal()}` } : {};
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

/** `name=value` of a Set-Cookie header. */
function pairOf(cookie: string): string {
  return cookie.split(';')[0] ?? '';
}

function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}
