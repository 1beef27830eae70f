import { setTimeout as delay } from 'node:timers/promises';
import type { LogSource, Prisma, PrismaClient } from '../db/database.ts';
import type { Logger } from '../logger/logger.ts';
import type { Secret } from '../secrets/secret.ts';
import { appendLines, type NewLine } from './append-lines.ts';
import { LineQueue } from './line-queue.ts';
import { DEFAULT_LIMITS, type LogLimits } from './log-limits.ts';
import { sanitiseLine } from './sanitise-line.ts';
import { SecretMask } from './secret-mask.ts';
import { splitLine } from './split-line.ts';
import { storeBatchOnce } from './store-batch.ts';

export interface LogWriterOptions {
  readonly prisma: PrismaClient;
  readonly streamId: string;
  readonly logger: Logger;
  /** Lines are stored only while this finds the stream's owner, see `appendLines`; later ones are dropped. */
  readonly owner?: Prisma.Sql;
  readonly secrets?: readonly Secret[];
  readonly limits?: Partial<LogLimits>;
}

/** `status` lines are written with the row they tell of, never from here. */
export type WrittenLine = NewLine & { readonly source: Exclude<LogSource, 'status'> };

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
/** A database that is away is waited for; one that refuses the same lines so often has a reason. */
const MAX_REFUSALS = 5;

/**
 * The one way from what a program prints to stored lines: made safe, masked, cut, capped, and stored in batches. Writing
 * costs no wait and never throws. A database that is away is waited for, with what fits into the buffer, and each line
 * is stored once even if the answer to its first try was lost (F19).
 */
export class LogWriter {
  readonly #prisma: PrismaClient;
  readonly #streamId: string;
  readonly #owner: Prisma.Sql | undefined;
  readonly #logger: Logger;
  readonly #limits: LogLimits;
  readonly #mask: SecretMask;
  readonly #queue: LineQueue;

  /** What the stream holds, ours that wait included; null until it was read, which the first batch does. */
  #lastSeq: bigint | null = null;
  #lines = 0;
  #bytes = 0;
  #isFull = false;
  #skipped = 0;
  #isWaiting = false;

  #timer: NodeJS.Timeout | null = null;
  #storing: Promise<void> | null = null;
  #waitingForRoom: (() => void)[] = [];
  readonly #closed = new AbortController();

  constructor(options: LogWriterOptions) {
    this.#prisma = options.prisma;
    this.#streamId = options.streamId;
    this.#owner = options.owner;
    this.#logger = options.logger;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#mask = new SecretMask(options.secrets);
    this.#queue = new LineQueue(this.#limits);
  }

  /** From now on these are hidden too. */
  mask(secrets: readonly Secret[]): void {
    this.#mask.add(secrets);
  }

  /** The text without what is hidden in lines, for what is stored elsewhere. */
  masked(text: string): string {
    return this.#mask.apply(text);
  }

  /** A text with line ends becomes several lines. */
  write(line: WrittenLine): void {
    if (this.#closed.signal.aborted) {
      this.#logger.warn('a log line came after the end and was dropped');
      return;
    }
    for (const text of line.text.replace(/\r?\n$/, '').split('\n')) {
      if (this.#isFull && isFromProgram(line)) return;
      const safe = this.#mask.apply(sanitiseLine(text));
      for (const piece of splitLine(safe, this.#limits.lineBytes)) this.#accept({ ...line, text: piece });
    }
  }

  /** Its last try failed; what is written waits in memory. */
  get isWaitingForDatabase(): boolean {
    return this.#isWaiting;
  }

  /**
   * Resolves when there is room again: what reads a program's output waits here before it reads on. Of a full stream it
   * is read slowly: the program then waits too, instead of taking the processor from others for lines that are dropped.
   */
  async drained(): Promise<void> {
    while (this.#queue.cost > this.#limits.highWaterBytes && !this.#closed.signal.aborted) {
      this.#startStoring();
      await new Promise<void>((hasRoom) => this.#waitingForRoom.push(hasRoom));
    }
    if (!this.#isFull) return;
    const { signal } = this.#closed;
    await delay(this.#limits.fullPauseMs, undefined, { signal }).catch(() => undefined);
  }

  /**
   * Resolves when all that was written is stored. Call it before a status is committed, so that the words stand before
   * it. Gives up waiting (not storing) after `patienceMs`.
   */
  async flush(): Promise<void> {
    const overdue = new AbortController();
    const limit = delay(this.#limits.patienceMs, undefined, { signal: overdue.signal }).catch(
      () => undefined,
    );
    const stored = this.#storeAll();
    await Promise.race([stored, limit]);
    overdue.abort();
  }

  /** Flushes and ends. Lines that could not be stored in `patienceMs` are lost, which the operator's log then tells. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    await this.flush();
    this.#closed.abort();
    this.#makeRoom();
    await this.#storing;
    if (!this.#queue.isEmpty) this.#logger.error({ lines: this.#queue.length }, 'log lines lost');
  }

  #accept(line: NewLine): void {
    if (isFromProgram(line)) {
      if (this.#isFull) return;
      const bytes = Buffer.byteLength(line.text);
      if (this.#lines >= this.#limits.streamLines || this.#bytes + bytes > this.#limits.streamBytes) {
        this.#isFull = true;
        this.#enqueue(marker(line, 'The log is full: what follows is not stored; the build itself goes on.'));
        return;
      }
      if (this.#queue.cost > this.#limits.bufferBytes) {
        this.#skipped += 1;
        return;
      }
    }
    this.#markSkipped(line);
    this.#enqueue(line);
  }

  #markSkipped(next: NewLine): void {
    if (this.#skipped === 0) return;
    const text = `${this.#skipped} lines are missing here: they came faster than they could be stored.`;
    this.#skipped = 0;
    this.#enqueue(marker(next, text));
  }

  #enqueue(line: NewLine): void {
    this.#lines += 1;
    this.#bytes += Buffer.byteLength(line.text);
    this.#queue.push(line);
    if (this.#queue.hasFullBatch) this.#startStoring();
    else this.#timer ??= setTimeout(() => this.#startStoring(), this.#limits.intervalMs);
  }

  #startStoring(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#storing ??= this.#storeQueue().finally(() => {
      this.#storing = null;
    });
  }

  async #storeAll(): Promise<void> {
    const text = { source: 'build', level: 'warning', stream: null, text: '' } as const;
    this.#markSkipped(text);
    while (!this.#queue.isEmpty || this.#storing) {
      this.#startStoring();
      await this.#storing;
      if (this.#closed.signal.aborted) return;
    }
  }

  async #storeQueue(): Promise<void> {
    for (let batch = this.#queue.take(); batch; batch = this.#queue.take()) {
      const isStored = await this.#store(batch);
      this.#queue.settle(batch);
      this.#makeRoom();
      if (!isStored) this.#logger.error({ lines: batch.length }, 'log lines lost');
      if (this.#closed.signal.aborted) return;
    }
  }

  /**
   * True when stored, or dropped because the stream has no owner any more; false when the database refuses the lines, or
   * the writer was closed while it was away.
   */
  async #store(batch: readonly NewLine[]): Promise<boolean> {
    let refusals = 0;
    for (let tries = 0; ; tries += 1) {
      try {
        this.#lastSeq ??= await this.#readEnd();
        const to = { streamId: this.#streamId, lastSeq: this.#lastSeq, owner: this.#owner };
        const end =
          tries === 0
            ? await appendLines(this.#prisma, to.streamId, batch, { owner: this.#owner })
            : await storeBatchOnce(this.#prisma, to, batch);
        this.#isWaiting = false;
        if (end === null) this.#logger.debug({ lines: batch.length }, 'log lines came too late, dropped');
        else if (tries > 0) this.#logger.info({ tries }, 'log lines stored after all');
        this.#lastSeq = end ?? this.#lastSeq;
        return true;
      } catch (error) {
        this.#isWaiting = true;
        if (tries === 0) this.#logger.warn({ err: error }, 'log lines wait for the database');
        if (await this.#databaseAnswers()) refusals += 1;
        if (refusals >= MAX_REFUSALS || this.#closed.signal.aborted) return false;
      }
      const pause = Math.min(FIRST_RETRY_MS * 2 ** tries, LAST_RETRY_MS);
      await delay(pause, undefined, { signal: this.#closed.signal }).catch(() => undefined);
    }
  }

  /** Where the stream ends now. What an earlier attempt stored counts for the caps. */
  async #readEnd(): Promise<bigint> {
    const stream = await this.#prisma.logStream.findUnique({ where: { id: this.#streamId } });
    this.#lines += Number(stream?.lastSeq ?? 0);
    this.#bytes += Number(stream?.bytes ?? 0);
    return stream?.lastSeq ?? 0n;
  }

  async #databaseAnswers(): Promise<boolean> {
    try {
      await this.#prisma.$queryRaw`select 1`;
      return true;
    } catch {
      return false;
    }
  }

  #makeRoom(): void {
    for (const hasRoom of this.#waitingForRoom.splice(0)) hasRoom();
  }
}

/** Our own few words about a deployment are never dropped: the cause of a failure comes after the flood. */
function isFromProgram(line: NewLine): boolean {
  return line.stream !== null || line.source !== 'deploy';
}

function marker(beside: NewLine, text: string): NewLine {
  return { source: beside.source, level: 'warning', stream: null, text };
}
