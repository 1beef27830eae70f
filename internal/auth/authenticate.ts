import { timingSafeEqual } from 'node:crypto';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { Caller } from '../openapi/operation.ts';
import { Secret } from '../secrets/secret.ts';
import { isToken, tokenHash } from './api-token.ts';

/**
 * Whose token came in `Authorization: Bearer`, asked of the database each time, so that a removed one ends at once.
 * A token in the query or the body is no token: it would stand in logs.
 * @throws AppError unauthorized
 */
export async function authenticate(prisma: PrismaClient, authorization: string | undefined): Promise<Caller> {
  const token = bearerToken(authorization);
  if (!token) {
    throw new AppError('unauthorized', 'Send your API token as "Authorization: Bearer berth_…".');
  }
  const hash = tokenHash(token);
  const found = await findToken(prisma, hash);
  if (!found || !sameText(found.tokenHash, hash)) {
    throw new AppError('unauthorized', 'The API token is unknown or has expired.');
  }
  if (found.isUseStale) await recordUse(prisma, found.tokenId);
  const { userId, userHash, role, tokenId, scope } = found;
  return { userId, userHash, role, via: 'token', tokenId, scope };
}

function bearerToken(header: string | undefined): Secret | null {
  const [scheme, text, ...more] = (header ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || text === undefined || more.length > 0) return null;
  return isToken(text) ? new Secret(text) : null;
}

interface FoundToken extends Omit<Caller, 'via'> {
  readonly tokenId: string;
  readonly tokenHash: string;
  readonly isUseStale: boolean;
}

/** Expiry and freshness are judged by the database's clock. */
async function findToken(prisma: PrismaClient, hash: string): Promise<FoundToken | null> {
  const [row] = await prisma.$queryRaw<FoundToken[]>`
    SELECT t.id AS "tokenId", t.token_hash AS "tokenHash", u.id AS "userId", u.hash AS "userHash",
           u.role::text AS role, t.scope::text AS scope,
           (t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute') AS "isUseStale"
      FROM tokens t JOIN users u ON u.id = t.user_id
     WHERE t.token_hash = ${hash} AND (t.expires_at IS NULL OR t.expires_at > now())`;
  return row ?? null;
}

/** At most one write a minute and token. */
async function recordUse(prisma: PrismaClient, tokenId: string): Promise<void> {
  await prisma.$executeRaw`
    UPDATE tokens SET last_used_at = now()
     WHERE id = ${tokenId} AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`;
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
