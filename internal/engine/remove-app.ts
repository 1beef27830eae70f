import { releaseAddresses } from '../deployments/address-store.ts';
import type { Tools } from './job.ts';
import {
  appsToRemove,
  deleteAppRow,
  forgetSubnet,
  hasDeploymentInHand,
  isLastAppOfProject,
} from './remove-app-store.ts';

type RemovalTools = Pick<
  Tools,
  'prisma' | 'containers' | 'gate' | 'source' | 'images' | 'logger' | 'settings'
>;

/**
 * Ends the apps whose deletion was asked for: containers, images, clone and gate folders, the network when nothing
 * else uses it, and last the row; so that a crash in between leaves a row by which the next pass goes on.
 */
export async function removeDeletedApps(tools: RemovalTools): Promise<void> {
  for (const app of await appsToRemove(tools.prisma)) {
    try {
      // Its deployment was asked to stop when the deletion was accepted; the next pass finds it ended.
      if (await hasDeploymentInHand(tools.prisma, app.id)) continue;
      await removeApp(tools, app);
      tools.logger.info({ appId: app.id, appName: app.name }, 'app removed');
    } catch (error) {
      tools.logger.warn({ err: error, appId: app.id }, 'app not removed yet, trying again at the next pass');
    }
  }
}

async function removeApp(
  tools: RemovalTools,
  app: { id: string; projectId: string; networkName: string; deploymentIds: readonly string[] },
): Promise<void> {
  const { prisma, containers, images, source, gate, settings } = tools;
  const running = await containers.list({ appId: app.id });
  await Promise.all(
    running.map((container) => containers.stopAndRemove(container, settings.stopGraceSeconds)),
  );
  await releaseAddresses(
    prisma,
    running.map((container) => container.containerName),
  );
  for (const image of await images.list({ appId: app.id })) await images.remove(image.imageId);
  if (!(await images.removeCache(app.id))) throw new Error('a container still uses the cache of its builds');
  for (const deploymentId of app.deploymentIds) {
    await source.remove(deploymentId);
    await gate.removeAll(deploymentId);
  }
  if (await isLastAppOfProject(prisma, app)) {
    await containers.removeNetwork(app.networkName);
    await forgetSubnet(prisma, app);
  }
  await deleteAppRow(prisma, app);
}
