import type { PrismaClient } from '../../../internal/db/database.ts';
import { judgeHolders } from './holder-record.ts';

/** I7: each claim has raised fence and attempt by one and left its row, and no two of one app were at the same time. */
export async function checkHolders(prisma: PrismaClient): Promise<string[]> {
  const miscounted = await prisma.$queryRaw<{ what: string }[]>`
    SELECT 'deployment ' || d.id || ': attempt ' || d.attempt || ', fence ' || d.fence || ', '
             || count(t.attempt) || ' claims up to number ' || coalesce(max(t.attempt), 0) AS what
      FROM deployments d LEFT JOIN deployment_attempts t ON t.deployment_id = d.id GROUP BY d.id
    HAVING d.attempt <> d.fence OR d.attempt <> count(t.attempt) OR d.attempt <> coalesce(max(t.attempt), 0)`;
  const endless = await prisma.$queryRaw<{ what: string }[]>`
    SELECT 'attempt ' || attempt || ' of ' || deployment_id || ' has no end' AS what
      FROM deployment_attempts WHERE ended_at IS NULL OR outcome IS NULL`;
  const overlapping = await prisma.$queryRaw<{ what: string }[]>`
    SELECT a.deployment_id || '/' || a.attempt || ' and ' || b.deployment_id || '/' || b.attempt
             || ' were worked on at the same time' AS what
      FROM deployment_attempts a JOIN deployments d ON d.id = a.deployment_id
           JOIN deployments e ON e.app_id = d.app_id JOIN deployment_attempts b ON b.deployment_id = e.id
     WHERE (a.deployment_id, a.attempt) < (b.deployment_id, b.attempt)
       AND a.started_at < b.ended_at AND b.started_at < a.ended_at`;
  return [
    ...[...miscounted, ...endless, ...overlapping].map(({ what }) => what),
    ...(await judgeHolders(prisma)),
  ];
}
