import type { Request } from 'express';
import { z } from 'zod';
import type { Db, LogLevel, PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { Logger } from '../logger/logger.ts';
import { type Call, type Caller, type Operation, op, STREAMED } from '../openapi/operation.ts';
import { deploymentIdParams } from '../openapi/schemas.ts';
import { clearLines } from './log-clear.ts';
import type { LogHub } from './log-hub.ts';
import { type LineFilter, type LogLine, listLines } from './log-reads.ts';
import { STREAM_LIMITS, type StreamLimits, streamLines } from './log-stream.ts';
import { LOG_LEVELS, lineSchema, viewLine } from './log-view.ts';

const DEFAULT_LINES = 1000;
const MAX_LINES = 2000;

export interface LogRouteNeeds {
  readonly prisma: PrismaClient;
  readonly hub: LogHub;
  readonly logger: Logger;
  /** The rules of deployments, handed in. @throws AppError not_found for what this caller may not see */
  readonly findDeployment: (caller: Caller, deploymentId: string) => Promise<{ isFinished: boolean }>;
  /** Asked again while a stream is open. @throws AppError unauthorized */
  readonly authenticate: (request: Request) => Promise<Caller>;
  readonly recordClear: (tx: Db, call: Call, deploymentId: string) => Promise<void>;
  readonly limits?: Partial<StreamLimits>;
}

const sequence = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the seq of a line')
  .transform(BigInt);

const filterQuery = z.strictObject({
  after: sequence.optional().meta({ type: 'integer', description: 'Only lines with a higher `seq`.' }),
  level: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(LOG_LEVELS, `must be of ${LOG_LEVELS.join(', ')}`)))
    .optional()
    .meta({ type: 'string', description: `One or more of ${LOG_LEVELS.join(', ')}, with commas between.` }),
  q: z.string().max(200).optional().meta({ description: 'Part of the text, upper and lower case alike.' }),
});

const listQuery = filterQuery.extend({
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_LINES))
    .optional()
    .meta({ type: 'integer', minimum: 1, maximum: MAX_LINES, default: DEFAULT_LINES }),
});

const EVENTS =
  '`line` events hold one line each, `status` events the deployment’s status as it changes, in their order; `end` says ' +
  'that nothing more comes. Each has the line’s `seq` as its id: with `Last-Event-ID` (or `after`) a reader goes on ' +
  'where it was.';

export function logRoutes(needs: LogRouteNeeds): Operation[] {
  const { prisma } = needs;
  const limits = { ...STREAM_LIMITS, ...needs.limits };

  const stream = async (call: Call, of: { id: string; after: bigint | undefined; filter: LineFilter }) => {
    const { request, response } = call;
    const { isFinished } = await needs.findDeployment(call.caller, of.id);
    const streamId = of.id;
    const lastId = lastEventId(request);
    if (isFinished && lastId !== null && (await hasNothingAfter(prisma, streamId, lastId))) {
      // The one answer after which a browser's EventSource does not come back.
      return { status: 204 as const };
    }
    if (request.method === 'HEAD') {
      response.type('text/event-stream').end();
      return STREAMED;
    }
    const check = async () => needs.findDeployment(await needs.authenticate(request), of.id);
    const matches = (line: LogLine) => line.source === 'status' || isMatch(line, of.filter);
    await streamLines(
      response,
      { streamId, after: lastId ?? of.after ?? 0n, matches, isFinished, check },
      { prisma, hub: needs.hub, logger: needs.logger, limits },
    );
    return STREAMED;
  };

  return [
    op({
      method: 'get',
      path: '/deployments/:id/logs',
      id: 'listLogLines',
      tag: 'logs',
      summary: 'Read the log of a deployment',
      description: 'With `Accept: text/event-stream` the same as `…/logs/stream`.',
      auth: 'token',
      params: deploymentIdParams,
      query: listQuery,
      responses: {
        200: {
          description: 'Lines in order; `next_cursor` is the `after` of the next page, null on the last',
          schema: z.object({ items: z.array(lineSchema), next_cursor: z.string().nullable() }),
        },
        204: { description: 'As an event stream: nothing more comes' },
      },
      async handler({ params: { id }, query }, call) {
        const filter = filterOf(query);
        call.response.vary('Accept');
        if (call.request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
          return stream(call, { id, after: query.after, filter });
        }
        await needs.findDeployment(call.caller, id);
        const { limit = DEFAULT_LINES, after = 0n } = query;
        const page = await listLines(prisma, { streamId: id, after, limit, ...filter });
        const next = page.hasMore ? page.lines.at(-1)?.seq : undefined;
        return {
          status: 200,
          body: { items: page.lines.map(viewLine), next_cursor: next === undefined ? null : String(next) },
        };
      },
    }),

    op({
      method: 'get',
      path: '/deployments/:id/logs/stream',
      id: 'followLog',
      tag: 'logs',
      summary: 'Follow the log of a deployment (server-sent events)',
      description: EVENTS,
      auth: 'token',
      params: deploymentIdParams,
      query: filterQuery,
      responses: {
        200: { description: 'The stream', contentType: 'text/event-stream' },
        204: { description: 'Nothing more comes after `Last-Event-ID`' },
      },
      handler: ({ params: { id }, query }, call) =>
        stream(call, { id, after: query.after, filter: filterOf(query) }),
    }),

    op({
      method: 'delete',
      path: '/deployments/:id/logs',
      id: 'clearLog',
      tag: 'logs',
      summary: 'Clear the log of a finished deployment',
      auth: 'token',
      params: deploymentIdParams,
      errors: ['not_finished'],
      responses: { 204: { description: 'The lines are gone' } },
      async handler({ params: { id } }, call) {
        const { isFinished } = await needs.findDeployment(call.caller, id);
        if (!isFinished) {
          throw new AppError(
            'not_finished',
            'The deployment still writes its log; clear it when it has ended.',
          );
        }
        await prisma.$transaction(async (tx) => {
          await clearLines(tx, id);
          await needs.recordClear(tx, call, id);
        });
        return { status: 204 };
      },
    }),
  ];
}

function filterOf(query: { level?: LogLevel[] | undefined; q?: string | undefined }): LineFilter {
  return { levels: query.level ?? [], contains: query.q ?? '' };
}

function isMatch(line: LogLine, filter: LineFilter): boolean {
  const hasLevel = filter.levels.length === 0 || filter.levels.includes(line.level);
  return hasLevel && line.text.toLowerCase().includes(filter.contains.toLowerCase());
}

/** Null when there is none, or none of ours: then it is a first visit. */
function lastEventId(request: Request): bigint | null {
  const parsed = sequence.safeParse(request.get('Last-Event-ID'));
  return parsed.success ? parsed.data : null;
}

async function hasNothingAfter(db: Db, streamId: string, after: bigint): Promise<boolean> {
  const { lines } = await listLines(db, { streamId, after, limit: 1, levels: [], contains: '' });
  return lines.length === 0;
}
