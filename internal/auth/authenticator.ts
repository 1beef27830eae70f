import type { Request } from 'express';
import type { PrismaClient } from '../db/database.ts';
import type { Caller } from '../openapi/operation.ts';
import { authenticate } from './authenticate.ts';
import { localCaller } from './local-caller.ts';

/** How this installation finds out who asks. */
export function authenticator(
  prisma: PrismaClient,
  auth: 'token' | 'none',
): (request: Request) => Promise<Caller> {
  if (auth === 'none') return () => localCaller(prisma);
  return (request) => authenticate(prisma, request.get('authorization'));
}
