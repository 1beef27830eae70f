import type { BuildPlanRequest, Db, PrismaClient } from '../db/database.ts';
import { newId } from '../db/ids.ts';

/** A plan is an answer to a question, and old news after a day. */
const KEPT_HOURS = 24;

export interface PlanQuestion {
  readonly userId: string;
  readonly repoUrl: string;
  readonly branch: string | null;
  readonly rootDirectory: string;
  readonly framework: string;
}

/** Asks a worker; those of yesterday go on the way. */
export async function askForPlan(tx: Db, question: PlanQuestion): Promise<BuildPlanRequest> {
  await tx.$executeRaw`
    DELETE FROM build_plans WHERE id IN
      (SELECT id FROM build_plans WHERE created_at < now() - make_interval(hours => ${KEPT_HOURS})
        LIMIT 100 FOR UPDATE SKIP LOCKED)`;
  const plan = await tx.buildPlanRequest.create({ data: { id: newId(), ...question } });
  await tx.$executeRaw`SELECT pg_notify('plan_requested', ${plan.id})`;
  return plan;
}

/** Null for a foreign id as for a missing one. */
export function findPlan(prisma: PrismaClient, userId: string, id: string): Promise<BuildPlanRequest | null> {
  return prisma.buildPlanRequest.findFirst({ where: { id, userId } });
}

/** A plan that waits, or whose worker was lost; held for so long. One statement, so that two workers never take one. */
export async function claimPlan(
  prisma: PrismaClient,
  worker: { id: string; leaseSeconds: number },
): Promise<BuildPlanRequest | null> {
  const [claimed] = await prisma.$queryRaw<{ id: string }[]>`
    UPDATE build_plans
       SET status = 'planning', lease_owner = ${worker.id},
           lease_expires_at = now() + make_interval(secs => ${worker.leaseSeconds})
     WHERE id = (SELECT id FROM build_plans
                  WHERE status = 'pending' OR (status = 'planning' AND lease_expires_at < now())
                  ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id`;
  return claimed ? prisma.buildPlanRequest.findUnique({ where: { id: claimed.id } }) : null;
}

export type PlanOutcome =
  | { readonly status: 'done'; readonly result: object }
  | { readonly status: 'failed'; readonly code: string; readonly reason: string };

/** Written by who holds it; a late worker changes nothing. */
export async function answerPlan(
  prisma: PrismaClient,
  claim: { id: string; workerId: string },
  outcome: PlanOutcome,
): Promise<void> {
  const answer =
    outcome.status === 'done'
      ? { result: outcome.result }
      : { failureCode: outcome.code, failureReason: outcome.reason };
  await prisma.buildPlanRequest.updateMany({
    where: { id: claim.id, leaseOwner: claim.workerId, status: 'planning' },
    data: {
      status: outcome.status,
      finishedAt: new Date(),
      leaseOwner: null,
      leaseExpiresAt: null,
      ...answer,
    },
  });
}
