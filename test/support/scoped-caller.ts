import { newToken, tokenHash, tokenPrefix } from '../../internal/auth/api-token.ts';
import { newId } from '../../internal/db/ids.ts';
import type { Scope } from '../../internal/openapi/operation.ts';
import { callAs } from './another-user.ts';
import type { ApiUnderTest } from './api-under-test.ts';

/** Requests of the owner by a token that may do so much and no more. */
export async function callWithScope(api: ApiUnderTest, scope: Scope): Promise<ReturnType<typeof callAs>> {
  const owner = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  const token = newToken();
  await api.prisma.apiToken.create({
    data: {
      id: newId(),
      userId: owner.id,
      name: `with the scope ${scope}`,
      prefix: tokenPrefix(token),
      tokenHash: tokenHash(token),
      scope,
    },
  });
  return callAs(api.app, { token: token.reveal() });
}
