import { Prisma, type PrismaClient } from '../../../internal/db/database.ts';

/** Counters that a refused request may raise, and when a token or session was last used. */
const TABLES_LEFT_OUT = ['rate_limits', '_prisma_migrations'];
const COLUMNS_LEFT_OUT = ['last_used_at', 'expire'];

/** Of each table one text that is another one after any change of any row. */
export async function fingerprint(prisma: PrismaClient): Promise<Record<string, string>> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name`;
  const ofEach = tables
    .filter(({ name }) => !TABLES_LEFT_OUT.includes(name))
    .map(
      ({ name }) => Prisma.sql`
        SELECT ${name} AS name, count(*) || ' ' || coalesce(md5(string_agg(row, '|' ORDER BY row)), '') AS text
          FROM (SELECT (to_jsonb(t) - ${COLUMNS_LEFT_OUT}::text[])::text AS row FROM ${Prisma.raw(`"${name}"`)} t) r`,
    );
  const prints = await prisma.$queryRaw<{ name: string; text: string }[]>(Prisma.join(ofEach, ' UNION ALL '));
  return Object.fromEntries(prints.map(({ name, text }) => [name, text]));
}
