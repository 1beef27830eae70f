import type { Request } from 'express';
import { z } from 'zod';
import type { PrismaClient } from '../db/database.ts';
import type { Logger } from '../logger/logger.ts';
import { type Call, type Caller, STREAMED } from '../openapi/operation.ts';
import { EventStream } from './event-stream.ts';
import { sendDownload } from './log-download.ts';
import type { LogHub } from './log-hub.ts';
import { DEFAULT_LINES, sequence } from './log-query.ts';
import { type LineFilter, type LogLine, listLines, NO_FILTER } from './log-reads.ts';
import { STREAM_LIMITS, type StreamLimits, streamLines } from './log-stream.ts';
import { lineSchema, viewLine } from './log-view.ts';

export interface LogAnswerNeeds {
  readonly prisma: PrismaClient;
  readonly hub: LogHub;
  readonly logger: Logger;
  /** Asked again while a stream is open. @throws AppError unauthorized */
  readonly authenticate: (request: Request) => Promise<Caller>;
  /** Counts a stream of this user until the returned function is called. @throws AppError rate_limited */
  readonly holdStream: (caller: Caller) => () => void;
  readonly limits?: Partial<StreamLimits>;
}

/** One stream of lines, as a caller may see it. */
export interface ReadableLog {
  readonly streamId: string;
  /** How the file is called that it is downloaded as. */
  readonly fileName: string;
  /** Nothing more comes. @throws AppError not_found for what this caller may not see */
  readonly find: (caller: Caller) => Promise<{ isFinished: boolean }>;
}

interface Wanted {
  readonly after?: bigint | undefined;
  readonly filter: LineFilter;
}

export const linePageSchema = z.object({ items: z.array(lineSchema), next_cursor: z.string().nullable() });

/** The answers that the log of a deployment and that of an app have in common. */
export class LogAnswers {
  readonly #needs: LogAnswerNeeds;
  readonly #limits: StreamLimits;

  constructor(needs: LogAnswerNeeds) {
    this.#needs = needs;
    this.#limits = { ...STREAM_LIMITS, ...needs.limits };
  }

  /** The caller would rather have events than JSON, where both are to be had. */
  prefersEvents({ request, response }: Call): boolean {
    response.vary('Accept');
    return request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
  }

  async list(log: ReadableLog, call: Call, of: Wanted & { readonly limit?: number | undefined }) {
    await log.find(call.caller);
    const { limit = DEFAULT_LINES, after = 0n, filter } = of;
    const { streamId } = log;
    const page = await listLines(this.#needs.prisma, { streamId, after, limit, ...filter });
    const next = page.hasMore ? page.lines.at(-1)?.seq : undefined;
    return {
      status: 200 as const,
      body: { items: page.lines.map(viewLine), next_cursor: next === undefined ? null : String(next) },
    };
  }

  /** The caller has all lines, and no more come. */
  async isOver(log: ReadableLog, call: Call): Promise<boolean> {
    const { isFinished } = await log.find(call.caller);
    const after = lastEventId(call.request);
    if (!isFinished || after === null) return false;
    const { lines } = await listLines(this.#needs.prisma, {
      streamId: log.streamId,
      after,
      limit: 1,
      ...NO_FILTER,
    });
    return lines.length === 0;
  }

  async follow(log: ReadableLog, call: Call, { after, filter }: Wanted): Promise<typeof STREAMED> {
    const { request, response } = call;
    const { prisma, hub, logger } = this.#needs;
    const { isFinished } = await log.find(call.caller);
    const { streamId } = log;
    const lastId = lastEventId(request);
    if (request.method === 'HEAD') {
      response.type('text/event-stream').end();
      return STREAMED;
    }
    const check = async () => log.find(await this.#needs.authenticate(request));
    const matches = (line: LogLine) => line.source === 'status' || isMatch(line, filter);
    const release = this.#needs.holdStream(call.caller);
    try {
      await streamLines(
        new EventStream(response, this.#limits),
        { streamId, after: lastId ?? after ?? 0n, matches, isFinished, check },
        { prisma, hub, logger, limits: this.#limits },
      );
    } finally {
      release();
    }
    return STREAMED;
  }

  async download(log: ReadableLog, call: Call): Promise<typeof STREAMED> {
    await log.find(call.caller);
    await sendDownload(call.response, log, { ...this.#needs, limits: this.#limits });
    return STREAMED;
  }
}

function isMatch(line: LogLine, filter: LineFilter): boolean {
  const { levels, contains, deploymentId, replica } = filter;
  if (levels.length > 0 && !levels.includes(line.level)) return false;
  if (deploymentId !== null && line.deploymentId !== deploymentId) return false;
  if (replica !== null && line.replica !== replica) return false;
  return line.text.toLowerCase().includes(contains.toLowerCase());
}

/** Null when there is none, or none of ours: then it is a first visit. */
function lastEventId(request: Request): bigint | null {
  const parsed = sequence.safeParse(request.get('Last-Event-ID'));
  return parsed.success ? parsed.data : null;
}
