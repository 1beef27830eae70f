import type { PrismaClient } from '../db/database.ts';

/** Duties that exactly one worker has at a time. */
export type Duty = 'reconciler' | 'recovery' | 'log-collector' | 'github-reports';

/** Takes or renews the duty; true while this worker holds it. By the database's clock, like every lease. */
export async function holdDuty(
  prisma: PrismaClient,
  duty: Duty,
  worker: { id: string; leaseSeconds: number },
): Promise<boolean> {
  const rows = await prisma.$queryRaw<unknown[]>`
    INSERT INTO leader_leases (duty, holder, expires_at)
    VALUES (${duty}, ${worker.id}, now() + make_interval(secs => ${worker.leaseSeconds}))
    ON CONFLICT (duty) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
      WHERE leader_leases.holder = excluded.holder OR leader_leases.expires_at < now()
    RETURNING duty`;
  return rows.length > 0;
}

/** Lets another worker have it at once. */
export async function dropDuty(prisma: PrismaClient, duty: Duty, workerId: string): Promise<void> {
  await prisma.leaderLease.deleteMany({ where: { duty, holder: workerId } });
}
