import type { Express } from 'express';
import supertest from 'supertest';
import { newToken, tokenHash, tokenPrefix } from '../../internal/auth/api-token.ts';
import type { PrismaClient } from '../../internal/db/database.ts';
import { newId, newUserHash } from '../../internal/db/ids.ts';

export interface AnotherUser {
  readonly id: string;
  readonly hash: string;
  readonly token: string;
}

/** A member with a token of their own, as an installation of several people has. */
export async function addUser(prisma: PrismaClient, name = 'another'): Promise<AnotherUser> {
  const { id, hash } = await prisma.user.create({ data: { id: newId(), hash: newUserHash(), name } });
  const token = newToken();
  await prisma.apiToken.create({
    data: {
      id: newId(),
      userId: id,
      name: 'test',
      prefix: tokenPrefix(token),
      tokenHash: tokenHash(token),
    },
  });
  return { id, hash, token: token.reveal() };
}

type Method = 'get' | 'head' | 'post' | 'patch' | 'put' | 'delete';

/** A request with that user's token. */
export function callAs(app: Express, { token }: Pick<AnotherUser, 'token'>) {
  return (method: Method, path: string) =>
    supertest(app)[method](`/api/v1${path}`).auth(token, { type: 'bearer' });
}
