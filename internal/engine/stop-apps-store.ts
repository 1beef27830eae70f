import type { PrismaClient } from '../db/database.ts';
import { openSnapshot, type ReleaseConfig } from '../deployments/config-snapshot.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';

/** The release of an app that is to stop. */
export interface StoppingRelease {
  readonly appId: string;
  readonly appName: string;
  readonly deploymentId: string;
  readonly config: ReleaseConfig;
}

/** Those that no worker has in hand: what is past its switch ends first. */
export async function releasesToStop(prisma: PrismaClient, box: SealedBox): Promise<StoppingRelease[]> {
  const rows = await prisma.deployment.findMany({
    where: {
      liveFor: { desiredState: 'stopped', deletingSince: null },
      app: { deployments: { none: { status: { in: ['deploying', 'live'] }, step: { not: null } } } },
    },
    select: { id: true, appId: true, configSnapshot: true, app: { select: { name: true } } },
  });
  return rows.map(({ id, appId, configSnapshot, app }) => ({
    appId,
    appName: app.name,
    deploymentId: id,
    config: openSnapshot(box, id, configSnapshot),
  }));
}

/** Someone may have started it again meanwhile. */
export async function shouldStillStop(
  prisma: PrismaClient,
  { appId, deploymentId }: StoppingRelease,
): Promise<boolean> {
  const where = { id: appId, liveDeploymentId: deploymentId, desiredState: 'stopped' } as const;
  return (await prisma.app.count({ where })) > 0;
}
