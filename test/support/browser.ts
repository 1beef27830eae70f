import type { Express } from 'express';
import supertest from 'supertest';

type Method = 'get' | 'head' | 'post' | 'patch' | 'put' | 'delete';

/** A browser as the API sees one: it keeps cookies, and says which page sends what. */
export class Browser {
  readonly #app: Express;
  readonly #cookies = new Map<string, string>();

  constructor(app: Express) {
    this.#app = app;
  }

  /** From a page of ours. */
  async send(
    method: Method,
    path: string,
    options: { body?: object; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<supertest.Response> {
    const request = supertest(this.#app)
      [method](path)
      .set({ 'Sec-Fetch-Site': 'same-origin', ...options.headers });
    if (this.cookieHeader !== '') request.set('Cookie', this.cookieHeader);
    const answer = await request.redirects(0).send(options.body);
    this.#keep(answer.headers['set-cookie'] as unknown as readonly string[] | undefined);
    return answer;
  }

  get(path: string): Promise<supertest.Response> {
    return this.send('get', path);
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  setCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  get cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keep(set: readonly string[] = []): void {
    for (const line of set) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/Expires=Thu, 01 Jan 1970/.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}

/** A browser that is signed in with an API token. */
export async function signedIn(app: Express, token: string): Promise<Browser> {
  const browser = new Browser(app);
  const answer = await browser.send('post', '/auth/session', {
    headers: { Authorization: `Bearer ${token}` },
  });
  if (answer.status !== 200) throw new Error(`no sign-in: ${answer.status} ${answer.text}`);
  return browser;
}
