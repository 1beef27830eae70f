import type { Request } from 'express';
import type { PrismaClient } from '../db/database.ts';
import type { Caller } from '../openapi/operation.ts';
import { authenticate } from './authenticate.ts';
import { localCaller } from './local-caller.ts';
import type { Sessions } from './sessions.ts';

/** Asked for each request, and again while a stream is open. @throws AppError unauthorized, csrf_refused */
export type Authenticate = (request: Request) => Promise<Caller>;

/** How this installation finds out who asks: an API token, or else a session. With a token no session is looked at. */
export function authenticator(needs: {
  prisma: PrismaClient;
  sessions: Sessions;
  auth: 'token' | 'none';
}): Authenticate {
  const { prisma, sessions } = needs;
  if (needs.auth === 'none') return () => localCaller(prisma);
  return async (request) => {
    const authorization = request.get('authorization');
    // A proxy before us may ask browsers for a password of its own, which then comes along: that is no token.
    const session = isBearer(authorization) ? null : await sessions.callerOf(request);
    return session ?? authenticate(prisma, authorization);
  };
}

/** Whether the request comes with a token at all, right or wrong. */
export function isBearer(authorization: string | undefined): boolean {
  return /^bearer(\s|$)/i.test(authorization ?? '');
}
