import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { Caller } from '../openapi/operation.ts';
import { findOwner } from '../users/user-store.ts';

/**
 * With AUTH=none whoever may reach the API is its owner. Who may is decided before, by `http/require-local.ts`.
 * @throws AppError unauthorized while there is no owner, which the start makes
 */
export async function localCaller(prisma: PrismaClient): Promise<Caller> {
  const owner = await findOwner(prisma);
  if (!owner) throw new AppError('unauthorized', 'There is no owner yet; start the API anew.');
  return {
    userId: owner.id,
    userHash: owner.hash,
    role: owner.role,
    via: 'local',
    tokenId: null,
    scope: 'admin',
  };
}
