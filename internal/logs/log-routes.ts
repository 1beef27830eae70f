import type { z } from 'zod';
import type { Db } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { type Call, type Caller, type Operation, op } from '../openapi/operation.ts';
import { deploymentIdParams } from '../openapi/schemas.ts';
import { type LogAnswerNeeds, LogAnswers, linePageSchema, type ReadableLog } from './log-answers.ts';
import { clearLines } from './log-clear.ts';
import { filterOf, filterQuery, pageSize } from './log-query.ts';

export interface LogRouteNeeds extends LogAnswerNeeds {
  /** The rules of deployments, handed in. @throws AppError not_found for what this caller may not see */
  readonly findDeployment: (caller: Caller, deploymentId: string) => Promise<{ isFinished: boolean }>;
  readonly recordClear: (tx: Db, call: Call, deploymentId: string) => Promise<void>;
}

const EVENTS =
  '`line` events hold one line each, `status` events the deployment’s status as it changes, in their order; `end` says ' +
  'that nothing more comes. Each has the line’s `seq` as its id: with `Last-Event-ID` (or `after`) a reader goes on ' +
  'where it was.';

/** The log of a deployment: what its build wrote, and what we did. */
export function logRoutes(needs: LogRouteNeeds): Operation[] {
  const answers = new LogAnswers(needs);
  const logOf = (id: string): ReadableLog => ({
    streamId: id,
    fileName: `deployment-${id}.log`,
    find: (caller) => needs.findDeployment(caller, id),
  });

  const follow = async (call: Call, id: string, query: z.output<typeof filterQuery>) => {
    const log = logOf(id);
    // The one answer after which a browser's EventSource does not come back.
    if (await answers.isOver(log, call)) return { status: 204 as const };
    return answers.follow(log, call, { ...query, filter: filterOf(query) });
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
      query: filterQuery.extend(pageSize),
      responses: {
        200: {
          description: 'Lines in order; `next_cursor` is the `after` of the next page, null on the last',
          schema: linePageSchema,
        },
        204: { description: 'As an event stream: nothing more comes' },
      },
      async handler({ params: { id }, query }, call) {
        if (answers.prefersEvents(call)) return follow(call, id, query);
        return answers.list(logOf(id), call, { ...query, filter: filterOf(query) });
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
      handler: ({ params: { id }, query }, call) => follow(call, id, query),
    }),

    op({
      method: 'get',
      path: '/deployments/:id/logs/download',
      id: 'downloadLog',
      tag: 'logs',
      summary: 'Download the whole log of a deployment as text',
      auth: 'token',
      params: deploymentIdParams,
      responses: { 200: { description: 'Time and text of each line', contentType: 'text/plain' } },
      handler: ({ params: { id } }, call) => answers.download(logOf(id), call),
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
        await needs.prisma.$transaction(async (tx) => {
          await clearLines(tx, id);
          await needs.recordClear(tx, call, id);
        });
        return { status: 204 };
      },
    }),
  ];
}
