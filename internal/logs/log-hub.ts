import { setMaxListeners } from 'node:events';
import type { PrismaClient } from '../db/database.ts';
import type { Notifications } from '../db/notifications.ts';
import type { Logger } from '../logger/logger.ts';
import { LOG_APPENDED } from './append-lines.ts';

const POLL_MS = 1_000;

/** One reader's place at a stream. */
export interface Follower {
  /** Resolves when the stream may have grown since the last time this resolved, or when `signal` is aborted. */
  grown(signal: AbortSignal): Promise<void>;
  close(): void;
}

interface Waiting {
  hasGrown: boolean;
  wake: (() => void) | null;
}

/**
 * Tells readers that their stream has grown: one LISTEN and one query a second for all of them, however many there are.
 * The notification is the quick way; the poll is the floor that works alone.
 */
export class LogHub {
  readonly #prisma: PrismaClient;
  readonly #logger: Logger;
  readonly #pollMs: number;
  readonly #followers = new Map<string, Set<Waiting>>();
  readonly #lastSeqs = new Map<string, bigint>();
  readonly #unsubscribe: () => void;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: {
    prisma: PrismaClient;
    logger: Logger;
    /** Null: polling only. */
    notifications: Pick<Notifications, 'subscribe'> | null;
    pollMs?: number;
  }) {
    this.#prisma = options.prisma;
    this.#logger = options.logger;
    this.#pollMs = options.pollMs ?? POLL_MS;
    // One listener for each stream: more than ten are no leak.
    setMaxListeners(0, this.#closing.signal);
    this.#unsubscribe =
      options.notifications?.subscribe(LOG_APPENDED, (streamId) => this.#wake(streamId)) ?? (() => undefined);
  }

  /** Aborted by close(): every stream then ends, and its reader comes back to the next process. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Begin to follow before the first read, and what comes between the two is not missed. */
  follow(streamId: string): Follower {
    const waiting: Waiting = { hasGrown: false, wake: null };
    const group = this.#followers.get(streamId) ?? new Set();
    this.#followers.set(streamId, group.add(waiting));
    this.#timer ??= setTimeout(() => void this.#poll(), this.#pollMs);
    return {
      grown: (signal) => untilGrown(waiting, signal),
      close: () => {
        group.delete(waiting);
        if (group.size > 0 || this.#followers.get(streamId) !== group) return;
        this.#followers.delete(streamId);
        this.#lastSeqs.delete(streamId);
      },
    };
  }

  /** Ends all streams. */
  close(): void {
    this.#closing.abort();
    this.#unsubscribe();
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #poll(): Promise<void> {
    try {
      const streams = await this.#prisma.logStream.findMany({
        where: { id: { in: [...this.#followers.keys()] } },
        select: { id: true, lastSeq: true },
      });
      for (const { id, lastSeq } of streams) {
        if (this.#lastSeqs.get(id) === lastSeq || !this.#followers.has(id)) continue;
        this.#lastSeqs.set(id, lastSeq);
        this.#wake(id);
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'log streams could not be polled');
    }
    const goesOn = this.#followers.size > 0 && !this.#closing.signal.aborted;
    this.#timer = goesOn ? setTimeout(() => void this.#poll(), this.#pollMs) : null;
  }

  /** '' after a reconnect: notifications may have been missed, so everyone looks. */
  #wake(streamId: string): void {
    const groups = streamId === '' ? this.#followers.values() : [this.#followers.get(streamId) ?? []];
    for (const group of groups) {
      for (const waiting of group) {
        waiting.hasGrown = true;
        waiting.wake?.();
      }
    }
  }
}

async function untilGrown(waiting: Waiting, signal: AbortSignal): Promise<void> {
  if (!waiting.hasGrown && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const wake = () => {
        // Taken off again each time: a stream that is open for days waits often.
        signal.removeEventListener('abort', wake);
        waiting.wake = null;
        resolve();
      };
      waiting.wake = wake;
      signal.addEventListener('abort', wake);
    });
  }
  waiting.hasGrown = false;
}
