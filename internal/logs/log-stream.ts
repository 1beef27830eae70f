import { setTimeout as delay } from 'node:timers/promises';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { Logger } from '../logger/logger.ts';
import type { Follower, LogHub } from './log-hub.ts';
import { type LinePage, type LogLine, nextLines } from './log-reads.ts';
import { viewLine } from './log-view.ts';
import { endsStream, readStatusEvent } from './status-event.ts';

export interface StreamLimits {
  readonly heartbeatMs: number;
  /** How long a client may take nothing. */
  readonly stallMs: number;
  /** How often `check` is asked while the stream is open (T42). */
  readonly recheckMs: number;
  /** How long a database that is away is waited for; the client then comes back by itself. */
  readonly outageMs: number;
  /** How long to wait for last words behind a status that ends the deployment. */
  readonly settleMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  heartbeatMs: 15_000,
  stallMs: 60_000,
  recheckMs: 60_000,
  outageMs: 30_000,
  settleMs: 300,
};

const OUTAGE_PAUSE_MS = 500;

/** What a reader gets: `line`, `status` or `end`, with the number to go on after. */
export interface LogEvent {
  readonly id?: bigint;
  readonly event: 'line' | 'status' | 'end';
  readonly data: unknown;
}

/** Why a stream ends: all was sent, this process stops, the database is away, or the reader lost the right to it. */
export type StreamEnd = 'complete' | 'stopping' | 'broken' | AppError;

/** One reader: a response of server-sent events, or a subscription of a WebSocket. */
export interface EventSink {
  /** Aborted as soon as nothing more will be taken, whoever ended it. */
  readonly ended: AbortSignal;
  /** Resolves when the reader has taken them, or is gone. */
  send(events: readonly LogEvent[]): Promise<void>;
  /** The first one counts. */
  end(why: StreamEnd): void;
}

export interface StreamRequest {
  readonly streamId: string;
  /** The last number the reader has. */
  readonly after: bigint;
  readonly matches: (line: LogLine) => boolean;
  /** It was finished before: send what is there and end. */
  readonly isFinished: boolean;
  /** @throws AppError when the reader may no longer see it */
  readonly check: () => Promise<unknown>;
}

export interface StreamTools {
  readonly prisma: PrismaClient;
  readonly hub: LogHub;
  readonly logger: Logger;
  readonly limits: StreamLimits;
}

/**
 * Sends a stream's lines to a reader until the deployment ends (an event `end`), the reader goes, or this process
 * stops. First what is stored, then what comes, from one cursor over gap-free numbers: so nothing is lost or
 * doubled between the two, nor over a reconnect. Memory per reader is one page and the socket's buffer (T69).
 */
export async function streamLines(
  sink: EventSink,
  request: StreamRequest,
  tools: StreamTools,
): Promise<void> {
  const follower = tools.hub.follow(request.streamId);
  const recheck = setInterval(() => void endUnlessAllowed(request, sink), tools.limits.recheckMs);
  const onClosing = () => sink.end('stopping');
  tools.hub.closing.addEventListener('abort', onClosing);
  if (tools.hub.closing.aborted) onClosing();
  try {
    const isComplete = await sendUntilEnd(sink, { request, tools, follower });
    if (isComplete) {
      await sink.send([{ event: 'end', data: {} }]);
      sink.end('complete');
    }
  } catch (error) {
    // The client comes back with its last id and is answered properly then.
    tools.logger.warn({ err: error, streamId: request.streamId }, 'log stream broken off');
    sink.end('broken');
  } finally {
    tools.hub.closing.removeEventListener('abort', onClosing);
    clearInterval(recheck);
    follower.close();
  }
}

interface Sending {
  readonly request: StreamRequest;
  readonly tools: StreamTools;
  readonly follower: Follower;
}

/** True when the reader has everything and nothing more will come. */
async function sendUntilEnd(sink: EventSink, of: Sending): Promise<boolean> {
  const { request, tools, follower } = of;
  let { after } = request;
  let hasEnded = false;
  while (!sink.ended.aborted) {
    const page = await readPatiently(tools, { streamId: request.streamId, after }, sink.ended);
    await sink.send(page.lines.filter(request.matches).map(eventOf));
    after = page.lines.at(-1)?.seq ?? after;
    hasEnded = page.lines.reduce(endedAfter, hasEnded);
    if (page.hasMore) continue;
    if (request.isFinished || (hasEnded && page.lines.length === 0)) return true;
    if (hasEnded) await delay(tools.limits.settleMs);
    else await follower.grown(sink.ended);
  }
  return false;
}

/** The last status decides: a deployment that is tried again, or is live again, goes on. */
function endedAfter(hasEnded: boolean, line: LogLine): boolean {
  if (line.source !== 'status') return hasEnded;
  const event = readStatusEvent(line.text);
  return event === null ? hasEnded : endsStream(event);
}

function eventOf(line: LogLine): LogEvent {
  const status = line.source === 'status' ? readStatusEvent(line.text) : null;
  return status
    ? { id: line.seq, event: 'status', data: status }
    : { id: line.seq, event: 'line', data: viewLine(line) };
}

/** Waits out a database restart (F19). */
async function readPatiently(
  { prisma, limits }: StreamTools,
  place: { streamId: string; after: bigint },
  ended: AbortSignal,
): Promise<LinePage> {
  const began = performance.now();
  for (;;) {
    try {
      return await nextLines(prisma, place);
    } catch (error) {
      if (ended.aborted || performance.now() - began > limits.outageMs) throw error;
      await delay(OUTAGE_PAUSE_MS, undefined, { signal: ended }).catch(() => undefined);
    }
  }
}

/** Token revoked, app deleted (T42). */
async function endUnlessAllowed(request: StreamRequest, sink: EventSink): Promise<void> {
  try {
    await request.check();
  } catch (error) {
    // A database that is away says nothing about rights.
    if (error instanceof AppError) sink.end(error);
  }
}
