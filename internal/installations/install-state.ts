import { createHash, randomBytes } from 'node:crypto';
import type { Db } from '../db/database.ts';

/** Of a user who has left for GitHub to install the App there. */
export interface Departure {
  readonly userId: string;
  readonly returnTo: string | null;
}

/** An owner of an organisation may have to be asked first. */
const HOURS = 1;

/** A row among the sessions, so that it ends as they do; `departed`, because a row with a `userId` is a session. */
export async function keepState(db: Db, { userId, returnTo }: Departure): Promise<string> {
  const state = randomBytes(32).toString('base64url');
  const kept = JSON.stringify({ departed: userId, returnTo });
  await db.$executeRaw`
    INSERT INTO sessions (sid, sess, expire)
    VALUES (${rowOf(state)}, ${kept}::json, now() + make_interval(hours => ${HOURS}::int))`;
  return state;
}

/** Taken away as it is read: it works once, within the hour, for the user who left. Null: it does not (T47). */
export async function takeState(
  db: Db,
  { state, userId }: { state: string; userId: string },
): Promise<Departure | null> {
  const [row] = await db.$queryRaw<Departure[]>`
    DELETE FROM sessions
     WHERE sid = ${rowOf(state)} AND sess->>'departed' = ${userId} AND expire > now()
    RETURNING sess->>'departed' AS "userId", sess->>'returnTo' AS "returnTo"`;
  return row ?? null;
}

function rowOf(state: string): string {
  return `github-install:${createHash('sha256').update(state).digest('hex')}`;
}
