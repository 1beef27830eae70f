import { createHash, randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { PrismaClient } from '../db/database.ts';
import { cookieValues, type SessionCookie } from './session-cookie.ts';

/** What is known when a browser leaves for GitHub, and needed when it comes back. */
export interface Departure {
  /** The browser, by a random number in a cookie of its own. */
  readonly browser: string;
  /** Who was signed in then: GitHub is to be linked with that account. */
  readonly userId: string | null;
  readonly returnTo: string | null;
}

const BROWSER = /^[A-Za-z0-9_-]{43}$/;
const MINUTES = 10;
const SWEPT_AT_ONCE = 100;

/** `passport-oauth2` calls it in this form; it tells by the number of parameters that it may. */
interface StateStore {
  store(request: Request, verifier: string, departure: Departure, meta: unknown, done: Stored): void;
  verify(request: Request, state: string | undefined, meta: unknown, done: Verified): void;
}
type Stored = (error: unknown, state?: string) => void;
type Verified = (error: unknown, verifier?: string | false, departure?: Departure) => void;

/**
 * Sign-ins under way. Each has a row among the sessions, found by its state and by the browser that began it, and taken
 * away as it is read: so a state works once, in one browser, for ten minutes (T47). Stored are hashes of both.
 */
export class Handshakes {
  readonly #prisma: PrismaClient;
  readonly #cookie: string;
  readonly #isSecure: boolean;

  constructor(prisma: PrismaClient, session: Pick<SessionCookie, 'name' | 'isSecure'>) {
    this.#prisma = prisma;
    this.#cookie = `${session.name}-sign-in`;
    this.#isSecure = session.isSecure;
  }

  /** The browser that asks, marked anew, so that it is known when it comes back. Several sign-ins may be under way. */
  markBrowser(request: Request, response: Response): string {
    const browser = this.#browserOf(request) ?? randomBytes(32).toString('base64url');
    response.cookie(this.#cookie, browser, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: this.#isSecure,
      maxAge: MINUTES * 60_000,
    });
    return browser;
  }

  stateStore(): StateStore {
    return {
      store: (_request, verifier, departure, _meta, done) => {
        this.#keep(verifier, departure).then(
          (state) => setImmediate(done, null, state),
          (error: unknown) => setImmediate(done, error),
        );
      },
      verify: (request, state, _meta, done) => {
        this.#take(state, this.#browserOf(request)).then(
          (kept) => setImmediate(done, null, kept?.verifier ?? false, kept?.departure),
          (error: unknown) => setImmediate(done, error),
        );
      },
    };
  }

  async #keep(verifier: string, { browser, userId, returnTo }: Departure): Promise<string> {
    const state = randomBytes(32).toString('base64url');
    const kept = JSON.stringify({ verifier, browser: hash(browser), linkTo: userId, returnTo });
    await this.#prisma.$executeRaw`
      INSERT INTO sessions (sid, sess, expire)
      VALUES (${rowOf(state)}, ${kept}::json, now() + make_interval(mins => ${MINUTES}::int))`;
    // Anyone may begin one: so each takes more ended ones away than it adds.
    await this.#prisma.$executeRaw`
      DELETE FROM sessions WHERE sid IN
        (SELECT sid FROM sessions WHERE expire < now() ORDER BY expire LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED)`;
    return state;
  }

  async #take(
    state: string | undefined,
    browser: string | null,
  ): Promise<{ verifier: string; departure: Departure } | null> {
    if (state === undefined || browser === null) return null;
    const [row] = await this.#prisma.$queryRaw<{ kept: Kept }[]>`
      DELETE FROM sessions
       WHERE sid = ${rowOf(state)} AND sess->>'browser' = ${hash(browser)} AND expire > now()
      RETURNING sess AS kept`;
    if (!row) return null;
    const { verifier, linkTo, returnTo } = row.kept;
    return { verifier, departure: { browser, userId: linkTo, returnTo } };
  }

  #browserOf(request: Request): string | null {
    return cookieValues(request.get('cookie'), this.#cookie).find((value) => BROWSER.test(value)) ?? null;
  }
}

/** `linkTo`, because a row with a `userId` is a session. */
interface Kept {
  readonly verifier: string;
  readonly linkTo: string | null;
  readonly returnTo: string | null;
}

function rowOf(state: string): string {
  return `sign-in:${hash(state)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
