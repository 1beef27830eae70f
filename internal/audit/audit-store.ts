import { type Db, Prisma } from '../db/database.ts';

export interface AuditRow {
  readonly id: bigint;
  readonly at: Date;
  readonly userId: string | null;
  /** Null when nobody did it, or the account has been removed. */
  readonly userName: string | null;
  readonly requestId: string;
  readonly address: string;
  readonly action: string;
  readonly object: string;
  readonly objectId: string;
  readonly detail: Prisma.JsonValue;
}

/** Which events a list shows; what is not given does not matter. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly object?: readonly string[] | undefined;
  readonly objectId?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

interface PageOf {
  readonly filter: AuditFilter;
  readonly limit: number;
  /** The event after which the page begins. */
  readonly before: bigint | null;
}

/** All that happened in this installation, newest first. */
export function listAllEvents(db: Db, of: PageOf): Promise<AuditRow[]> {
  const { actor, objectId } = of.filter;
  const order = actor === undefined && objectId === undefined ? newest(of) : newestOfFew(of);
  return readEvents(db, Prisma.sql`SELECT e.id FROM audit_events e WHERE ${matching(of)} ${order}`, of);
}

/**
 * What a user did, and what was done to theirs. Both are found by an index of their own, so that the cost does not grow
 * with what others do.
 */
export function listEventsOf(db: Db, userId: string, of: PageOf): Promise<AuditRow[]> {
  const found = Prisma.sql`
    (SELECT e.id FROM audit_events e WHERE e.user_id = ${userId} AND ${matching(of)} ${newestOfFew(of)})
    UNION
    (SELECT e.id FROM (${objectsOf(userId)}) own
      CROSS JOIN LATERAL (
        SELECT e.id FROM audit_events e WHERE e.object_id = own.id AND ${matching(of)} ${newestOfFew(of)}) e
      ${newest(of)})`;
  return readEvents(db, found, of);
}

function readEvents(db: Db, found: Prisma.Sql, of: PageOf): Promise<AuditRow[]> {
  return db.$queryRaw<AuditRow[]>`
    SELECT e.id, e.at, e.user_id AS "userId", u.name AS "userName", e.request_id AS "requestId", e.address,
           e.action, e.object, e.object_id AS "objectId", e.detail
      FROM (${found}) found
      JOIN audit_events e ON e.id = found.id
      LEFT JOIN users u ON u.id = e.user_id
      ${newest(of)}`;
}

function newest({ limit }: PageOf): Prisma.Sql {
  return Prisma.sql`ORDER BY e.id DESC LIMIT ${limit}`;
}

/**
 * The same among few of many. By the plain id Postgres walks through the whole table from its end, in the hope to meet
 * them soon: with 600,000 events of others and 10,000 deployments that took more than ten seconds instead of 0.1.
 */
function newestOfFew({ limit }: PageOf): Prisma.Sql {
  return Prisma.sql`ORDER BY e.id + 0 DESC LIMIT ${limit}`;
}

function matching({ filter, before }: PageOf): Prisma.Sql {
  const { actor, action, object, objectId, since, until } = filter;
  const conditions = [
    ...(before === null ? [] : [Prisma.sql`e.id < ${before}`]),
    ...(actor === undefined ? [] : [Prisma.sql`e.user_id = ${actor}`]),
    ...(action === undefined ? [] : [Prisma.sql`e.action = ${action}`]),
    ...(object === undefined ? [] : [Prisma.sql`e.object = ANY(${[...object]})`]),
    ...(objectId === undefined ? [] : [Prisma.sql`e.object_id = ${objectId}`]),
    ...(since === undefined ? [] : [Prisma.sql`e.at >= ${since}`]),
    ...(until === undefined ? [] : [Prisma.sql`e.at < ${until}`]),
  ];
  return conditions.length === 0 ? Prisma.sql`true` : Prisma.join(conditions, ' AND ');
}

/** Ids of all that is a user's now. What is gone they see only where they did it themselves. */
function objectsOf(userId: string): Prisma.Sql {
  const apps = Prisma.sql`SELECT a.id FROM services a JOIN projects p ON p.id = a.project_id WHERE p.user_id = ${userId}`;
  return Prisma.sql`
    SELECT ${userId} AS id
    UNION ALL SELECT id FROM projects WHERE user_id = ${userId}
    UNION ALL ${apps}
    UNION ALL SELECT d.id FROM deployments d WHERE d.app_id IN (${apps})
    UNION ALL SELECT v.id FROM env_vars v WHERE v.app_id IN (${apps})
    UNION ALL SELECT id FROM tokens WHERE user_id = ${userId}
    UNION ALL SELECT id::text FROM github_installations WHERE user_id = ${userId}`;
}
