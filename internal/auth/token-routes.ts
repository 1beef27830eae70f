import { recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { type Caller, type Operation, op } from '../openapi/operation.ts';
import { pageByAge, placeOfCursor } from '../openapi/page-by-age.ts';
import { DEFAULT_PAGE, pageOf, pageQuery } from '../openapi/schemas.ts';
import { newTokenSchema, tokenIdParams } from './token-input.ts';
import { createToken, deleteToken, listTokens } from './token-store.ts';
import { newTokenAnswerSchema, tokenSchema, viewToken } from './token-view.ts';

/** API tokens of the user who asks. */
export function tokenRoutes({ prisma }: { prisma: PrismaClient }): Operation[] {
  return [
    op({
      method: 'get',
      path: '/tokens',
      id: 'listTokens',
      tag: 'accounts',
      summary: 'List your API tokens, newest first',
      description: 'What they are for and how they begin; the tokens themselves are not stored.',
      auth: 'token',
      query: pageQuery,
      responses: { 200: { description: 'One page', schema: pageOf(tokenSchema) } },
      async handler({ query: { limit = DEFAULT_PAGE, cursor } }, { caller: { userId } }) {
        const after = placeOfCursor(cursor);
        const rows = await listTokens(prisma, { userId, limit: limit + 1, after });
        return { status: 200, body: pageByAge(rows, limit, viewToken) };
      },
    }),

    op({
      method: 'post',
      path: '/tokens',
      id: 'createToken',
      tag: 'accounts',
      summary: 'Make an API token',
      description:
        'Only a session may, not a token: so a token that leaks cannot make itself successors. The token is in this ' +
        'answer and never again; so there is no Idempotency-Key here, whose answer would have to be kept. When the ' +
        'answer got lost, remove the token and make another one.',
      auth: 'token',
      scope: 'admin',
      body: newTokenSchema,
      errors: ['session_needed'],
      responses: { 201: { description: 'The token, shown this once', schema: newTokenAnswerSchema } },
      async handler({ body: { name, scope, expires_in_days: days } }, call) {
        requireNoToken(call.caller);
        const { userId } = call.caller;
        const { row, token } = await prisma.$transaction(async (tx) => {
          const made = await createToken(tx, { userId, name, scope, expiresInDays: days ?? null });
          await recordAudit(tx, call, {
            action: 'token.create',
            object: 'token',
            objectId: made.row.id,
            detail: { name, scope, expires_in_days: days ?? null },
          });
          return made;
        });
        return { status: 201, body: { ...viewToken(row), token: token.reveal() } };
      },
    }),

    op({
      method: 'delete',
      path: '/tokens/:id',
      id: 'deleteToken',
      tag: 'accounts',
      summary: 'Remove an API token',
      description: 'It, and sessions that were opened with it, end at once.',
      auth: 'token',
      params: tokenIdParams,
      responses: { 204: { description: 'It is gone' } },
      async handler({ params: { id } }, call) {
        await prisma.$transaction(async (tx) => {
          await deleteToken(tx, { userId: call.caller.userId, id });
          await recordAudit(tx, call, { action: 'token.delete', object: 'token', objectId: id });
        });
        return { status: 204 };
      },
    }),
  ];
}

function requireNoToken({ via }: Caller): void {
  if (via !== 'token') return;
  throw new AppError(
    'session_needed',
    'A token cannot make tokens. Sign in first: POST /auth/session with a token of the scope admin, or GET /auth/github.',
  );
}
