import connectPgSimple from 'connect-pg-simple';
import type { Request, Response } from 'express';
import session, { type SessionData } from 'express-session';
import type { Config } from '../config/config.ts';
import type { Database, PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { Logger } from '../logger/logger.ts';
import type { Caller } from '../openapi/operation.ts';
import { requireOwnPage } from './own-page.ts';
import { type SessionCookie, sessionCookie, sessionIdOf } from './session-cookie.ts';
import { findSession, prolongSession } from './session-store.ts';

declare module 'express-session' {
  interface SessionData {
    userId: string;
    /** By the clock of the database, ISO 8601. */
    startedAt: string;
    /** The API token it was opened with: it ends with that. */
    tokenId?: string;
  }
}

export type SessionSettings = Pick<
  Config,
  'publicUrl' | 'sessionSecret' | 'sessionIdleHours' | 'sessionMaxDays'
>;

export interface SessionNeeds {
  readonly prisma: PrismaClient;
  readonly pool: Database['pool'];
  readonly logger: Logger;
  readonly settings: SessionSettings;
}

/** Who a new session belongs to. */
export interface SignedIn {
  readonly userId: string;
  readonly at: Date;
  readonly tokenId: string | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PRUNE_SECONDS = 3_600;

/**
 * Browser sessions. express-session makes and signs them, and connect-pg-simple stores them; both work only where one
 * begins. Whose session a request has is one query of our own, which tells in the same breath who that user is now; so
 * a request in flight can write no session back that has ended meanwhile.
 */
export class Sessions {
  readonly cookie: SessionCookie;
  readonly #needs: SessionNeeds;
  readonly #open: ReturnType<typeof session>;
  /** Requests that have counted as a use: the re-checks of an open stream keep no session alive. */
  readonly #counted = new WeakSet<Request>();

  constructor(needs: SessionNeeds) {
    const { settings, pool, logger } = needs;
    this.#needs = needs;
    this.cookie = sessionCookie(settings);
    this.#open = session({
      name: this.cookie.name,
      secret: this.cookie.secret.reveal(),
      store: new IdleStore({
        pool,
        idleMs: settings.sessionIdleHours * HOUR_MS,
        errorLog: (...texts: unknown[]) => logger.warn({ texts: texts.map(String) }, 'sessions not pruned'),
      }),
      cookie: this.#cookieOptions(settings.sessionMaxDays * DAY_MS),
      resave: false,
      saveUninitialized: false,
    });
  }

  /** The id of the session that the request says it has; null without one. */
  idOf(request: Request): string | null {
    return sessionIdOf(request.get('cookie'), this.cookie);
  }

  /**
   * Whose session it is. Null for a request without one.
   * @throws AppError unauthorized when it has ended, csrf_refused when another page sends the request
   */
  async callerOf(request: Request): Promise<Caller | null> {
    const id = this.idOf(request);
    if (id === null) return null;
    const { prisma, settings } = this.#needs;
    requireOwnPage(request, new URL(settings.publicUrl).origin);
    const found = await findSession(prisma, id, settings);
    if (!found) throw new AppError('unauthorized', 'Your session has ended; sign in again.');
    if (found.isUseStale && !this.#counted.has(request)) await prolongSession(prisma, id, settings);
    this.#counted.add(request);
    const { userId, userHash, role } = found;
    return { userId, userHash, role, via: 'session', tokenId: null, scope: 'admin' };
  }

  /** Begins a session with an id that nobody has seen before; the one that came with the request ends (T46). */
  async start(request: Request, response: Response, { userId, at, tokenId }: SignedIn): Promise<void> {
    // PUBLIC_URL says that people come by https, whatever the last proxy before us speaks.
    if (this.cookie.isSecure) Object.defineProperty(request, 'secure', { value: true });
    await settled((done) => this.#open(request, response, done));
    await settled((done) => request.session.regenerate(done));
    Object.assign(request.session, {
      userId,
      startedAt: at.toISOString(),
      ...(tokenId === null ? {} : { tokenId }),
    } satisfies Omit<SessionData, 'cookie'>);
    await settled((done) => request.session.save(done));
  }

  /** The browser forgets the cookie. What it stood for, `deleteSession` ends. */
  forget(response: Response): void {
    response.clearCookie(this.cookie.name, this.#cookieOptions());
  }

  #cookieOptions(maxAge?: number) {
    const { isSecure } = this.cookie;
    const options = { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure } as const;
    return maxAge === undefined ? options : { ...options, maxAge };
  }
}

/** Rows end when a session has idled; the cookie may last longer, as `prolongSession` moves that end. */
class IdleStore extends connectPgSimple(session) {
  readonly #idleMs: number;

  constructor(options: {
    pool: Database['pool'];
    idleMs: number;
    errorLog: (...texts: unknown[]) => void;
  }) {
    super({
      pool: options.pool,
      tableName: 'sessions',
      createTableIfMissing: false,
      pruneSessionInterval: PRUNE_SECONDS,
      errorLog: options.errorLog,
    });
    this.#idleMs = options.idleMs;
  }

  override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    const expires = new Date(Date.now() + this.#idleMs);
    super.set(id, { ...data, cookie: { originalMaxAge: this.#idleMs, expires } }, done);
  }
}

/** A step of express-session as a promise. */
function settled(step: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    step((error) => (error ? reject(error) : resolve()));
  });
}
