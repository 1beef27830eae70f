import { readClaimed, recordPush } from '../../deployments/deployment-store.ts';
import type { Job, Tools } from '../job.ts';
import type { BuiltImage } from '../ports.ts';
import { registryName } from '../registry-name.ts';

/**
 * Brings the image to the registry, if there is one, under the name of its commit. One that an earlier attempt, or the
 * deployment whose build it is, has brought there is not pushed again.
 * @throws DeploymentFailed registry_push_failed
 */
export async function pushImage(job: Job, tools: Tools, image: BuiltImage): Promise<void> {
  const { registry, settings, prisma } = tools;
  if (registry === null || settings.registry === null) return;
  // As the steps before have left it.
  const { app, commitSha, registryTag } = await readClaimed(prisma, job.claim);
  if (commitSha === null) return;
  const name = registryName(settings.registry, {
    ownerHash: app.project.user.hash,
    projectName: app.project.name,
    appName: app.name,
    commitSha,
  });
  if (registryTag === name) return;
  job.say({ text: `Pushing the image to ${name}`, level: 'deploy' });
  await registry.push({ imageId: image.imageId, name }, { onLine: job.onBuildLine, signal: job.signal });
  await recordPush(prisma, job.claim, name);
  job.say({ text: `Pushed ${name}`, level: 'deploy' });
}
