import type { z } from 'zod';
import { lockApp, requireApp } from '../apps/app-store.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Call, type Operation, op, STREAMED } from '../openapi/operation.ts';
import { appIdParams } from '../openapi/schemas.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { DotenvProblem, type DotenvVariable, parseDotenv, printDotenv } from './dotenv.ts';
import type { GivenVariable } from './env-var.ts';
import { environmentSchema, importSchema, mergeQuery, variablesOf } from './env-var-input.ts';
import { readEnvironment, storeEnvironment } from './env-var-store.ts';
import { environmentViewSchema } from './env-var-view.ts';

interface EnvironmentRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly answerOnce: AnswerOnce;
  readonly viewAll: (db: Db, appId: string) => Promise<z.input<typeof environmentViewSchema>>;
}

const responses = {
  200: { description: 'The whole environment, without values', schema: environmentViewSchema },
};

/** The environment of an app as a whole: replaced, merged, read from and written as a `.env` file. */
export function environmentRoutes(needs: EnvironmentRouteNeeds): Operation[] {
  const { prisma, box } = needs;
  const store = async (
    tx: Db,
    call: Call,
    of: { appId: string; action: string; given: readonly GivenVariable[]; replace: boolean },
  ) => {
    const { appId, action, given, replace } = of;
    await lockApp(tx, call.caller.userId, appId);
    const change = await storeEnvironment(tx, box, appId, given, { replace });
    await recordAudit(tx, call, { action, object: 'app', objectId: appId, detail: { ...change } });
    return { status: 200 as const, body: await needs.viewAll(tx, appId) };
  };

  return [
    op({
      method: 'put',
      path: '/apps/:id/env',
      id: 'replaceEnvironment',
      tag: 'environment',
      summary: 'Replace all environment variables of an app, or merge with them',
      description: 'What is not named is removed, unless `merge=true`. All of it is taken, or nothing.',
      auth: 'token',
      params: appIdParams,
      query: mergeQuery,
      body: environmentSchema,
      aliases: { env: 'variables' },
      errors: ['app_deleting'],
      responses,
      async handler({ params: { id: appId }, query: { merge }, body }, call) {
        const of = {
          appId,
          action: 'environment.store',
          given: variablesOf(body),
          replace: merge !== 'true',
        };
        return prisma.$transaction((tx) => store(tx, call, of));
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/env/import',
      id: 'importEnvironment',
      tag: 'environment',
      summary: 'Take the variables of a `.env` file',
      description:
        'Variables that the file does not name stay. It may hold `export `, comments, and values bare, in single ' +
        'quotes or backticks (as they are), or in double quotes (with \\n \\r \\t \\\\ \\" \\$); quoted ones over several ' +
        'lines. Nothing is interpolated. A line that cannot be read is named, and nothing is taken.',
      auth: 'token',
      params: appIdParams,
      body: importSchema,
      takesIdempotencyKey: true,
      errors: ['app_deleting'],
      responses,
      async handler({ params: { id: appId }, body: { text, scope } }, call) {
        const given = readDotenv(text).map((variable) => ({ ...variable, scope }));
        const of = { appId, action: 'environment.import', given, replace: false };
        return needs.answerOnce(call, (tx) => store(tx, call, of));
      },
    }),

    op({
      method: 'get',
      path: '/apps/:id/env/export',
      id: 'exportEnvironment',
      tag: 'environment',
      summary: 'Write the variables as a `.env` file, with their values',
      description: 'The one operation that tells values. It is for admins, and each use leaves an audit row.',
      auth: 'token',
      scope: 'admin',
      params: appIdParams,
      responses: { 200: { description: 'The file; a shell reads it, too', contentType: 'text/plain' } },
      async handler({ params: { id } }, call) {
        const variables = await prisma.$transaction(async (tx) => {
          await requireApp(tx, call.caller.userId, id);
          const all = await readEnvironment(tx, box, id);
          const detail = { keys: all.map(({ key }) => key) };
          await recordAudit(tx, call, { action: 'environment.export', object: 'app', objectId: id, detail });
          return all;
        });
        call.response
          .status(200)
          .set({ 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
          .end(printDotenv(variables));
        return STREAMED;
      },
    }),
  ];
}

/** @throws AppError invalid_input, with the line */
function readDotenv(text: string): DotenvVariable[] {
  try {
    return parseDotenv(text);
  } catch (error) {
    if (!(error instanceof DotenvProblem)) throw error;
    throw new AppError('invalid_input', `The text is no .env file: ${error.message}.`, {
      fields: [{ field: '/text', message: error.message }],
    });
  }
}
