import type { Db, PrismaClient } from '../db/database.ts';
import type { Caller } from '../openapi/operation.ts';

/** How long a session lasts. */
export interface SessionLimits {
  readonly sessionIdleHours: number;
  readonly sessionMaxDays: number;
}

interface FoundSession {
  readonly userId: string;
  readonly userHash: string;
  readonly role: Caller['role'];
  readonly isUseStale: boolean;
}

/**
 * Whose session it is, with the user as they are now (T74). One that was opened with a token ends with that token. Null
 * for one that has ended, whichever way.
 */
export async function findSession(
  prisma: PrismaClient,
  id: string,
  { sessionIdleHours, sessionMaxDays }: SessionLimits,
): Promise<FoundSession | null> {
  const [row] = await prisma.$queryRaw<FoundSession[]>`
    SELECT u.id AS "userId", u.hash AS "userHash", u.role::text AS role,
           s.expire < now() + make_interval(hours => ${sessionIdleHours}::int) - interval '1 minute' AS "isUseStale"
      FROM sessions s JOIN users u ON u.id = s.sess->>'userId'
     WHERE s.sid = ${id} AND s.expire > now()
       AND (s.sess->>'startedAt')::timestamptz + make_interval(days => ${sessionMaxDays}::int) > now()
       AND (s.sess->>'tokenId' IS NULL OR EXISTS (
             SELECT FROM tokens t
              WHERE t.id = s.sess->>'tokenId' AND t.user_id = u.id
                AND (t.expires_at IS NULL OR t.expires_at > now())))`;
  return row ?? null;
}

/** A session that is used lives on; written at most once a minute. It never brings an ended one back. */
export async function prolongSession(prisma: PrismaClient, id: string, limits: SessionLimits): Promise<void> {
  await prisma.$executeRaw`
    UPDATE sessions SET expire = now() + make_interval(hours => ${limits.sessionIdleHours}::int)
     WHERE sid = ${id} AND expire > now()`;
}

export async function deleteSession(db: Db, id: string): Promise<void> {
  await db.session.deleteMany({ where: { sid: id } });
}

/** All of one user: wherever they are signed in, they no longer are. */
export async function deleteSessionsOf(db: Db, userId: string): Promise<void> {
  await db.$executeRaw`DELETE FROM sessions WHERE sess->>'userId' = ${userId}`;
}
