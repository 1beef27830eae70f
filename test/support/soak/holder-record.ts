import type { PrismaClient } from '../../../internal/db/database.ts';

/** From now on the database itself writes down who held which deployment with which fence, and each status. */
export async function recordHolders(prisma: PrismaClient): Promise<void> {
  await prisma.$executeRaw`
    CREATE TABLE soak_holders (
      n bigserial PRIMARY KEY, deployment_id text NOT NULL, fence int NOT NULL, holder text, status text NOT NULL)`;
  await prisma.$executeRaw`
    CREATE FUNCTION soak_record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO soak_holders (deployment_id, fence, holder, status)
      VALUES (NEW.id, NEW.fence, NEW.lease_owner, NEW.status::text);
      RETURN NULL;
    END $$`;
  await prisma.$executeRaw`
    CREATE TRIGGER soak_record AFTER UPDATE ON deployments FOR EACH ROW
      WHEN ((OLD.fence, OLD.lease_owner, OLD.status) IS DISTINCT FROM (NEW.fence, NEW.lease_owner, NEW.status))
      EXECUTE FUNCTION soak_record()`;
}

/** What the record says against one holder at a time, and against ends that are ends. */
export async function judgeHolders(prisma: PrismaClient): Promise<string[]> {
  const shared = await prisma.$queryRaw<{ what: string }[]>`
    SELECT 'fence ' || fence || ' of ' || deployment_id || ' had the holders ' || string_agg(DISTINCT holder, ', ') AS what
      FROM soak_holders GROUP BY deployment_id, fence HAVING count(DISTINCT holder) > 1`;
  const fallen = await prisma.$queryRaw<{ what: string }[]>`
    SELECT 'the fence of ' || deployment_id || ' fell from ' || before || ' to ' || fence AS what
      FROM (SELECT *, lag(fence) OVER (PARTITION BY deployment_id ORDER BY n) AS before FROM soak_holders) h
     WHERE fence < before`;
  const undone = await prisma.$queryRaw<{ what: string }[]>`
    SELECT deployment_id || ' was ' || before || ' and became ' || status AS what
      FROM (SELECT *, lag(status) OVER (PARTITION BY deployment_id ORDER BY n) AS before FROM soak_holders) h
     WHERE before IN ('failed', 'cancelled', 'superseded') AND status <> before`;
  return [...shared, ...fallen, ...undone].map(({ what }) => what);
}
