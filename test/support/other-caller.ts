import supertest from 'supertest';
import { newToken, tokenHash, tokenPrefix } from '../../internal/auth/api-token.ts';
import { newId, newUserHash } from '../../internal/db/ids.ts';
import type { Scope } from '../../internal/openapi/operation.ts';
import type { ApiUnderTest } from './api-under-test.ts';

/** Calls the API by another token: of a new user, or of the owner. */
export async function otherCaller(
  api: ApiUnderTest,
  { scope = 'admin', of = 'new user' }: { scope?: Scope; of?: 'new user' | 'owner' } = {},
): Promise<{ userId: string; call: ApiUnderTest['call'] }> {
  const { prisma } = api;
  const user =
    of === 'owner'
      ? await prisma.user.findFirstOrThrow({ where: { role: 'owner' } })
      : await prisma.user.create({ data: { id: newId(), hash: newUserHash(), name: 'someone else' } });
  const token = newToken();
  await prisma.apiToken.create({
    data: {
      id: newId(),
      userId: user.id,
      name: `with the scope ${scope}`,
      prefix: tokenPrefix(token),
      tokenHash: tokenHash(token),
      scope,
    },
  });
  return {
    userId: user.id,
    call: (method, path) =>
      supertest(api.app)[method](`/api/v1${path}`).auth(token.reveal(), { type: 'bearer' }),
  };
}
