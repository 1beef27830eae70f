import { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { type Caller, type Operation, op } from '../openapi/operation.ts';
import { recordSignIn, requireUser } from '../users/user-store.ts';
import { meSchema, viewUser } from '../users/user-view.ts';
import { deleteSession } from './session-store.ts';
import type { Sessions } from './sessions.ts';

export interface SessionRouteNeeds {
  readonly prisma: PrismaClient;
  readonly sessions: Sessions;
  /** Counts a sign-in from that address. @throws AppError rate_limited */
  readonly countSignIn: (address: string) => Promise<void>;
}

const methodsSchema = z
  .object({
    token: z.boolean().meta({ description: 'By POST /auth/session. False: AUTH=none, nobody signs in.' }),
    github: z.boolean().meta({ description: 'By GET /auth/github.' }),
  })
  .meta({ id: 'SignInMethods', examples: [{ token: true, github: false }] });

/** Who one is, and how one becomes someone; answered with AUTH=none too. */
export function whoRoutes(needs: {
  prisma: PrismaClient;
  methods: z.input<typeof methodsSchema>;
}): Operation[] {
  return [
    op({
      method: 'get',
      path: '/auth/me',
      id: 'getMe',
      tag: 'accounts',
      summary: 'Who am I?',
      description: 'The user whose token or session came with the request, and what it may do.',
      auth: 'token',
      responses: { 200: { description: 'You', schema: meSchema } },
      async handler(_input, { caller }) {
        return { status: 200, body: await viewMe(needs.prisma, caller) };
      },
    }),

    op({
      method: 'get',
      path: '/auth/methods',
      id: 'listSignInMethods',
      tag: 'accounts',
      summary: 'How can one sign in here?',
      auth: 'none',
      responses: { 200: { description: 'What this installation is set up for', schema: methodsSchema } },
      async handler() {
        return { status: 200, body: needs.methods };
      },
    }),
  ];
}

/** Signing a browser in with an API token, and out again. */
export function sessionRoutes(needs: SessionRouteNeeds): Operation[] {
  const { prisma, sessions } = needs;
  return [
    op({
      method: 'post',
      path: '/auth/session',
      id: 'signIn',
      tag: 'accounts',
      summary: 'Sign a browser in with an API token',
      description:
        'Send a token of the scope `admin` as bearer; the answer sets the cookie of a session, which does what the ' +
        'token does and makes other tokens, too. The session ends with the token. Pages of this host need nothing ' +
        'more; a program that keeps the cookie sends `Origin` with what changes something.',
      auth: 'token',
      scope: 'admin',
      responses: { 200: { description: 'Signed in; the cookie is set', schema: meSchema } },
      async handler(_input, call) {
        const { caller, request, response } = call;
        if (caller.via === 'token') {
          await needs.countSignIn(call.address);
          const { userId, tokenId } = caller;
          const at = await prisma.$transaction(async (tx) => {
            const detail = { by: 'api token', id: tokenId };
            await recordAudit(tx, call, {
              action: 'session.start',
              object: 'session',
              objectId: userId,
              detail,
            });
            return recordSignIn(tx, userId);
          });
          await sessions.start(request, response, { userId, at, tokenId });
        }
        return { status: 200, body: await viewMe(prisma, { ...caller, via: 'session' }) };
      },
    }),

    op({
      method: 'post',
      path: '/auth/logout',
      id: 'signOut',
      tag: 'accounts',
      summary: 'Sign this browser out',
      auth: 'token',
      scope: 'read',
      errors: ['session_needed'],
      responses: { 204: { description: 'The session has ended' } },
      async handler(_input, call) {
        const { caller, request, response } = call;
        const id = caller.via === 'session' ? sessions.idOf(request) : null;
        if (id === null) {
          throw new AppError(
            'session_needed',
            'This request has no session to end; an API token ends with DELETE /tokens/{id}.',
          );
        }
        await prisma.$transaction(async (tx) => {
          await deleteSession(tx, id);
          await recordAudit(tx, call, {
            action: 'session.end',
            object: 'session',
            objectId: caller.userId,
          });
        });
        sessions.forget(response);
        return { status: 204 };
      },
    }),
  ];
}

async function viewMe(prisma: PrismaClient, caller: Caller): Promise<z.input<typeof meSchema>> {
  const user = await requireUser(prisma, caller.userId);
  const { via, scope } = caller;
  return { ...viewUser(user), via, scope, github_scopes: user.githubScopes };
}
