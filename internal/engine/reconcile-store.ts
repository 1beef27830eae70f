import type { Db, PrismaClient } from '../db/database.ts';
import { isInFlight } from '../deployments/deployment-status.ts';
import { keptImages } from '../deployments/release-reads.ts';
import type { DeploymentFacts } from './which-leftovers.ts';

/** What the rows say of these deployments, and plans being made; one that has no row is not in the answer. */
export async function deploymentFacts(
  prisma: PrismaClient,
  deploymentIds: readonly string[],
): Promise<Map<string, DeploymentFacts>> {
  const rows = await prisma.deployment.findMany({
    where: { id: { in: [...deploymentIds] } },
    select: {
      id: true,
      appId: true,
      status: true,
      step: true,
      candidateAttempt: true,
      app: { select: { liveDeploymentId: true } },
    },
  });
  const plans = await prisma.buildPlanRequest.findMany({
    where: { id: { in: [...deploymentIds] }, status: 'planning' },
    select: { id: true },
  });
  const planning = { inFlight: true, isLive: false, candidateAttempt: null };
  return new Map<string, DeploymentFacts>([
    ...plans.map(({ id }): [string, DeploymentFacts] => [id, planning]),
    ...rows.map((row): [string, DeploymentFacts] => [
      row.id,
      {
        inFlight: row.status === 'pending' || isInFlight(row),
        isLive: row.app.liveDeploymentId === row.id,
        candidateAttempt: row.candidateAttempt,
      },
    ]),
  ]);
}

/** Apps one of whose deployments a worker has in hand: their containers are that worker's business. */
export async function busyApps(prisma: PrismaClient): Promise<Set<string>> {
  const rows = await prisma.deployment.findMany({
    where: { OR: [{ status: { in: ['building', 'deploying'] } }, { status: 'live', step: 'draining' }] },
    select: { appId: true },
  });
  return new Set(rows.map((row) => row.appId));
}

/** Names of the networks that projects have, or are about to get. */
export async function networksOfProjects(prisma: PrismaClient): Promise<Set<string>> {
  const rows = await prisma.project.findMany({
    where: { subnet: { not: null } },
    select: { networkName: true },
  });
  return new Set(rows.map(({ networkName }) => networkName));
}

/** Live releases and the routers they must have. */
export async function liveReleases(prisma: PrismaClient) {
  const rows = await prisma.app.findMany({
    where: { liveDeploymentId: { not: null }, desiredState: 'running', deletingSince: null },
    select: { name: true, liveDeploymentId: true },
  });
  return rows.flatMap((row) =>
    row.liveDeploymentId ? [{ appName: row.name, deploymentId: row.liveDeploymentId }] : [],
  );
}

/** Image ids of an app that must stay: of releases to go back to, of the one that serves, and of what is under way. */
export async function neededImages(db: Db, appId: string): Promise<Set<string>> {
  const underWay = await db.deployment.findMany({
    where: {
      appId,
      OR: [{ status: { in: ['pending', 'building', 'deploying', 'live'] } }, { liveFor: { id: appId } }],
    },
    select: { imageId: true },
  });
  return new Set([...(await keptImages(db, appId)), ...underWay.flatMap((row) => row.imageId ?? [])]);
}
