import type { Job, Tools } from '../job.ts';
import type { BuiltImage } from '../ports.ts';

/** The image an earlier attempt has built and recorded, if it is still there: then nothing is cloned or built again. */
export async function findBuiltImage(job: Job, tools: Tools): Promise<BuiltImage | null> {
  if (!job.row.imageId) return null;
  const image = await tools.images.inspect(job.row.imageId);
  if (image) job.say({ text: `Using the image built before: ${job.row.imageTag}`, level: 'deploy' });
  return image;
}
