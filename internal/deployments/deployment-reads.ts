import { requireApp } from '../apps/app-store.ts';
import type { Db, Deployment, DeploymentStatus, DeploymentTrigger, StepRun } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { queuePosition } from './deployment-queue.ts';
import { reasonToWait, type WaitState } from './reason-to-wait.ts';

/** A deployment as lists show it: without what is sealed. */
export type ListedDeployment = Omit<Deployment, 'configSnapshot'> & { app: { name: string } };

/** Why it has not begun. */
export interface Waiting {
  readonly position: number;
  readonly reason: string;
}

const LISTED = { omit: { configSnapshot: true }, include: { app: { select: { name: true } } } } as const;

/** Which deployments a list shows; what is not given does not matter. */
export interface DeploymentFilter {
  /** Id or name of an app. */
  readonly app?: string | undefined;
  readonly projectId?: string | undefined;
  readonly status?: readonly DeploymentStatus[] | undefined;
  readonly trigger?: readonly DeploymentTrigger[] | undefined;
  readonly branch?: string | undefined;
}

interface PageOf {
  readonly userId: string;
  readonly filter: DeploymentFilter;
  readonly limit: number;
  /** The place after which the page begins. */
  readonly before: bigint | null;
}

/** Deployments over all apps of a user, newest first. */
export function listDeployments(db: Db, of: PageOf): Promise<ListedDeployment[]> {
  const { app, projectId, status, trigger, branch } = of.filter;
  return db.deployment.findMany({
    ...LISTED,
    where: {
      app: {
        project: { userId: of.userId },
        ...(projectId !== undefined && { projectId }),
        ...(app !== undefined && { OR: [{ id: app }, { name: app }] }),
      },
      ...(status && { status: { in: [...status] } }),
      ...(trigger && { trigger: { in: [...trigger] } }),
      ...(branch !== undefined && { branch }),
      ...(of.before !== null && { queueSequence: { lt: of.before } }),
    },
    orderBy: { queueSequence: 'desc' },
    take: of.limit,
  });
}

/** The same of one app, which must be there. @throws AppError not_found */
export async function listDeploymentsOf(db: Db, appId: string, of: PageOf): Promise<ListedDeployment[]> {
  await requireApp(db, of.userId, appId);
  return listDeployments(db, { ...of, filter: { ...of.filter, app: appId } });
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
export const WORKER_FRESH_SECONDS = 30;

/** Its place in the queue and what it waits for, in words; null when it does not wait. */
export async function readWaiting(db: Db, deployment: ListedDeployment): Promise<Waiting | null> {
  if (deployment.status !== 'pending') return null;
  const position = await queuePosition(db, deployment.id);
  if (position === null) return null;

  const [state] = await db.$queryRaw<Omit<WaitState, 'position'>[]>`
    SELECT (SELECT o.id FROM deployments o
             WHERE o.app_id = d.app_id AND o.id <> d.id
               AND (o.status IN ('building', 'deploying') OR (o.status = 'live' AND o.step = 'draining'))
             LIMIT 1) AS sibling,
           CASE WHEN d.not_before > now() THEN d.not_before END AS "retryAt",
           (SELECT count(*)::int FROM deployments o
             WHERE o.status IN ('building', 'deploying') OR (o.status = 'live' AND o.step = 'draining')
           ) AS "underWay",
           (SELECT p.deployment_limit FROM services a JOIN projects p ON p.id = a.project_id
             WHERE a.id = d.app_id AND p.deployment_limit <= (
               SELECT count(*) FROM deployments o JOIN services oa ON oa.id = o.app_id
                WHERE oa.project_id = p.id AND o.status IN ('building', 'deploying'))
           ) AS "fullProject",
           EXISTS (SELECT 1 FROM workers
                    WHERE heartbeat_at > now() - make_interval(secs => ${WORKER_FRESH_SECONDS})) AS "hasWorker"
      FROM deployments d WHERE d.id = ${deployment.id}`;
  return state ? { position, reason: reasonToWait({ position, ...state }) } : null;
}
