/** The API as `bin/up` uses it, like anybody else: over HTTP, with the owner's token. */
export class ApiCalls {
  readonly #base: string;
  readonly #token: string;

  constructor(apiUrl: string, token: string) {
    this.#base = `${apiUrl}/api/v1`;
    this.#token = token;
  }

  /** @throws with the problem's own sentence when the answer is no 2xx. */
  async call<T>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.#base + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  }
}
