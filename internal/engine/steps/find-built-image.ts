import { DeploymentFailed } from '../../errors/deployment-failed.ts';
import type { Job, Tools } from '../job.ts';
import type { BuiltImage } from '../ports.ts';

/**
 * The image of the release that this one is made from, or the one an earlier attempt has built, if it is still there:
 * then nothing is cloned or built. Where it is gone the same commit is built again (F40), but not for a rollback, which
 * promises the very image.
 * @throws DeploymentFailed image_missing
 */
export async function findBuiltImage(job: Job, tools: Tools): Promise<BuiltImage | null> {
  const { imageId, imageTag, imageFromId, trigger } = job.row;
  if (!imageId) return null;
  const image = await tools.images.inspect(imageId);
  const whose = imageFromId === null ? 'built before' : `of release ${imageFromId}`;
  if (image) job.say({ text: `Using the image ${whose}: ${imageTag ?? imageId}`, level: 'deploy' });
  else if (trigger === 'rollback') {
    throw new DeploymentFailed('image_missing', `The image ${whose} is gone from the machine.`);
  } else if (imageFromId !== null) {
    const text = `The image ${whose} is gone from the machine; its commit is built again`;
    job.say({ text, level: 'warning' });
  }
  return image;
}
