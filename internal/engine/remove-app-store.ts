import type { Db, PrismaClient } from '../db/database.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';

export async function appsToRemove(prisma: PrismaClient) {
  const apps = await prisma.app.findMany({
    where: { deletingSince: { not: null } },
    orderBy: { deletingSince: 'asc' },
    include: { project: true, deployments: { select: { id: true } } },
  });
  return apps.map((app) => ({
    id: app.id,
    name: app.name,
    projectId: app.projectId,
    networkName: app.project.networkName,
    deploymentIds: app.deployments.map(({ id }) => id),
  }));
}

/** True while a worker's lease on one of its deployments holds; a lost worker's lease runs out and counts no more. */
export async function hasDeploymentInHand(prisma: PrismaClient, appId: string): Promise<boolean> {
  const [row] = await prisma.$queryRaw<{ inHand: boolean }[]>`
    SELECT EXISTS (SELECT 1 FROM deployments WHERE app_id = ${appId} AND lease_expires_at > now()) AS "inHand"`;
  return row?.inHand ?? false;
}

export async function isLastAppOfProject(
  prisma: Db,
  app: { id: string; projectId: string },
): Promise<boolean> {
  return (await prisma.app.count({ where: { projectId: app.projectId, id: { not: app.id } } })) === 0;
}

/**
 * The network is gone; the next one may get another subnet. Not so where an app has come into the project meanwhile: its
 * deployment may have made the network again, in the same subnet.
 */
export async function forgetSubnet(
  prisma: PrismaClient,
  app: { id: string; projectId: string },
): Promise<void> {
  const { projectId } = app;
  await prisma.$transaction(async (tx) => {
    // Whoever creates an app holds this row until it is there: see `lockOpenProject`.
    await tx.$queryRaw`SELECT id FROM projects WHERE id = ${projectId} FOR UPDATE`;
    if (!(await isLastAppOfProject(tx, app))) return;
    await tx.containerAddress.deleteMany({ where: { projectId } });
    await tx.project.update({ where: { id: projectId }, data: { subnet: null } });
  });
}

/**
 * Deployments, hosts, steps and attempts go with it; deliveries and streams of lines have no owner but this. The app
 * first: with it go its log cursors, and whoever still stores lines of its containers finds none.
 */
export async function deleteAppRow(
  prisma: PrismaClient,
  app: { id: string; deploymentIds: readonly string[] },
): Promise<void> {
  await prisma.$transaction([
    prisma.app.delete({ where: { id: app.id } }),
    // Payloads that came to its own webhook, maybe of a private repository.
    prisma.webhookDelivery.deleteMany({ where: { target: `app:${app.id}` } }),
    prisma.logStream.deleteMany({ where: { id: { in: [...app.deploymentIds, runtimeStreamId(app.id)] } } }),
  ]);
}
