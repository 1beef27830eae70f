import type { ApiToken, Db } from '../db/database.ts';
import { newId } from '../db/ids.ts';
import { AppError } from '../errors/app-error.ts';
import { newestFirst, type Place } from '../openapi/page-by-age.ts';
import type { Secret } from '../secrets/secret.ts';
import { newToken, tokenHash, tokenPrefix } from './api-token.ts';

interface NewToken {
  readonly userId: string;
  readonly name: string;
  readonly scope: ApiToken['scope'];
  /** Null: it does not expire. */
  readonly expiresInDays: number | null;
}

/** The one moment at which the token itself is known: stored is its hash. Run it inside a transaction. */
export async function createToken(
  tx: Db,
  { userId, name, scope, expiresInDays }: NewToken,
): Promise<{ row: ApiToken; token: Secret }> {
  const token = newToken();
  const id = newId();
  await tx.apiToken.create({
    data: { id, userId, name, scope, prefix: tokenPrefix(token), tokenHash: tokenHash(token) },
  });
  if (expiresInDays !== null) {
    await tx.$executeRaw`
      UPDATE tokens SET expires_at = created_at + make_interval(days => ${expiresInDays}::int) WHERE id = ${id}`;
  }
  return { row: await tx.apiToken.findUniqueOrThrow({ where: { id } }), token };
}

/** One user's, newest first, after the given place. */
export function listTokens(
  db: Db,
  of: { userId: string; limit: number; after: Place | null },
): Promise<ApiToken[]> {
  const { where, orderBy } = newestFirst(of.after);
  return db.apiToken.findMany({ where: { ...where, userId: of.userId }, orderBy, take: of.limit });
}

/** @throws AppError not_found, for a foreign id as for a missing one */
export async function deleteToken(tx: Db, of: { userId: string; id: string }): Promise<void> {
  const { count } = await tx.apiToken.deleteMany({ where: of });
  if (count === 0) throw new AppError('not_found', 'There is no token with this id.');
}
