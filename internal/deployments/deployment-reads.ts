import { requireApp } from '../apps/app-store.ts';
import type { Db, Deployment, PrismaClient, StepRun } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { queuePosition } from './deployment-queue.ts';

/** A deployment as lists show it: without what is sealed. */
export type ListedDeployment = Omit<Deployment, 'configSnapshot'> & { app: { name: string } };

/** Why it has not begun. */
export interface Waiting {
  readonly position: number;
  readonly reason: string;
}

const LISTED = { omit: { configSnapshot: true }, include: { app: { select: { name: true } } } } as const;

/** Deployments of one app, newest first, after the given place. @throws AppError not_found */
export async function listDeployments(
  prisma: PrismaClient,
  of: { userId: string; appId: string; limit: number; before: bigint | null },
): Promise<ListedDeployment[]> {
  await requireApp(prisma, of.userId, of.appId);
  return prisma.deployment.findMany({
    ...LISTED,
    where: { appId: of.appId, ...(of.before === null ? {} : { queueSequence: { lt: of.before } }) },
    orderBy: { queueSequence: 'desc' },
    take: of.limit,
  });
}

/** Looked up through its app's owner: a foreign one is as missing. @throws AppError not_found */
export async function readDeployment(db: Db, userId: string, id: string): Promise<ListedDeployment> {
  const row = await db.deployment.findFirst({ ...LISTED, where: { id, app: { project: { userId } } } });
  if (!row) throw new AppError('not_found', 'There is no deployment with this id.');
  return row;
}

export function listSteps(db: Db, deploymentId: string): Promise<StepRun[]> {
  return db.stepRun.findMany({
    where: { deploymentId },
    orderBy: [{ attempt: 'asc' }, { startedAt: 'asc' }],
  });
}

/** A worker whose heartbeat is older has died, or cannot reach the database. */
const WORKER_FRESH_SECONDS = 30;

/** Its place in the queue and what it waits for, in words; null when it does not wait. */
export async function readWaiting(db: Db, deployment: ListedDeployment): Promise<Waiting | null> {
  if (deployment.status !== 'pending') return null;
  const position = await queuePosition(db, deployment.id);
  if (position === null) return null;

  const [state] = await db.$queryRaw<{ sibling: string | null; isPaused: boolean; hasWorker: boolean }[]>`
    SELECT (SELECT o.id FROM deployments o
             WHERE o.app_id = d.app_id AND o.id <> d.id
               AND (o.status IN ('building', 'deploying') OR (o.status = 'live' AND o.step = 'draining'))
             LIMIT 1) AS sibling,
           coalesce(d.not_before > now(), false) AS "isPaused",
           EXISTS (SELECT 1 FROM workers
                    WHERE heartbeat_at > now() - make_interval(secs => ${WORKER_FRESH_SECONDS})) AS "hasWorker"
      FROM deployments d WHERE d.id = ${deployment.id}`;
  return { position, reason: reasonToWait(position, state) };
}

function reasonToWait(
  position: number,
  state: { sibling: string | null; isPaused: boolean; hasWorker: boolean } | undefined,
): string {
  if (state && !state.hasWorker) return 'No worker is running; start one.';
  if (state?.sibling) return `Deployment ${state.sibling} of this app is under way; it goes first.`;
  if (state?.isPaused) return 'The last try failed for a reason of the platform; the next one follows soon.';
  if (position > 1)
    return `${position - 1} other ${position === 2 ? 'deployment is' : 'deployments are'} ahead.`;
  return 'It is next; a worker takes it as soon as one is free.';
}
