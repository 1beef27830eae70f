import type { Db } from '../db/database.ts';
import { type Call, type Caller, type Operation, op } from '../openapi/operation.ts';
import { appIdParams } from '../openapi/schemas.ts';
import { type LogAnswerNeeds, LogAnswers, linePageSchema, type ReadableLog } from './log-answers.ts';
import { clearLines } from './log-clear.ts';
import { filterOf, filterQuery, originQuery, pageSize } from './log-query.ts';
import { runtimeStreamId } from './runtime-stream.ts';

export interface RuntimeLogRouteNeeds extends LogAnswerNeeds {
  /** The rules of apps, handed in. @throws AppError not_found for what this caller may not see */
  readonly findApp: (caller: Caller, appId: string) => Promise<unknown>;
  readonly recordClear: (tx: Db, call: Call, appId: string) => Promise<void>;
}

const EVENTS =
  '`line` events hold one line each, of all releases and replicas as they come; it goes on across deployments, and a ' +
  'line of the source `deploy` says when another release is live. Each has the line’s `seq` as its id: with ' +
  '`Last-Event-ID` (or `after`) a reader goes on where it was.';

/** The log of an app: what its containers write, kept when they are gone. */
export function runtimeLogRoutes(needs: RuntimeLogRouteNeeds): Operation[] {
  const answers = new LogAnswers(needs);
  const logOf = (id: string): ReadableLog => ({
    streamId: runtimeStreamId(id),
    fileName: `app-${id}.log`,
    async find(caller) {
      await needs.findApp(caller, id);
      return { isFinished: false };
    },
  });

  return [
    op({
      method: 'get',
      path: '/apps/:id/logs',
      id: 'listAppLogLines',
      tag: 'logs',
      summary: 'Read what the containers of an app write',
      description:
        'Lines stay when their container is gone, up to a size and an age; where older ones were dropped, one line says ' +
        'how many. With `Accept: text/event-stream` the same as `…/logs/stream`.',
      auth: 'token',
      params: appIdParams,
      query: filterQuery.extend({ ...pageSize, ...originQuery }),
      responses: {
        200: {
          description: 'Lines in order; `next_cursor` is the `after` of the next page, null on the last',
          schema: linePageSchema,
        },
      },
      async handler({ params: { id }, query }, call) {
        const wanted = { ...query, filter: filterOf(query) };
        if (answers.prefersEvents(call)) return answers.follow(logOf(id), call, wanted);
        return answers.list(logOf(id), call, wanted);
      },
    }),

    op({
      method: 'get',
      path: '/apps/:id/logs/stream',
      id: 'followAppLog',
      tag: 'logs',
      summary: 'Follow what the containers of an app write (server-sent events)',
      description: EVENTS,
      auth: 'token',
      params: appIdParams,
      query: filterQuery.extend(originQuery),
      responses: { 200: { description: 'The stream', contentType: 'text/event-stream' } },
      handler: ({ params: { id }, query }, call) =>
        answers.follow(logOf(id), call, { ...query, filter: filterOf(query) }),
    }),

    op({
      method: 'get',
      path: '/apps/:id/logs/download',
      id: 'downloadAppLog',
      tag: 'logs',
      summary: 'Download what the containers of an app have written, as text',
      auth: 'token',
      params: appIdParams,
      responses: {
        200: { description: 'Time, release, replica and text of each line', contentType: 'text/plain' },
      },
      handler: ({ params: { id } }, call) => answers.download(logOf(id), call),
    }),

    op({
      method: 'delete',
      path: '/apps/:id/logs',
      id: 'clearAppLog',
      tag: 'logs',
      summary: 'Clear the log of an app',
      description: 'What its containers write from now on is kept.',
      auth: 'token',
      params: appIdParams,
      responses: { 204: { description: 'The lines are gone' } },
      async handler({ params: { id } }, call) {
        await needs.findApp(call.caller, id);
        await needs.prisma.$transaction(async (tx) => {
          await clearLines(tx, runtimeStreamId(id));
          await needs.recordClear(tx, call, id);
        });
        return { status: 204 };
      },
    }),
  ];
}
