import { buildKey } from '../build-key.ts';
import { newestOfSameBuild, takeImageOf } from '../image-marks-store.ts';
import type { Job, Tools } from '../job.ts';
import type { BuiltImage } from '../ports.ts';

/**
 * The image that an earlier deployment of the app has built from the same commit with the same settings, if it is still
 * there: then there is nothing to build, and where the commit is known before, nothing to clone. Whether that deployment
 * went live does not matter: the same build would give the same image, and what it failed at may have been mended.
 * @throws LeaseLost
 */
export async function findSameBuild(
  job: Job,
  tools: Tools,
  commitSha: string | null,
): Promise<BuiltImage | null> {
  if (commitSha === null || job.row.noCache) return null;
  const key = buildKey(job, tools.settings.baseImages, commitSha);
  const source = await newestOfSameBuild(tools.prisma, { appId: job.row.appId, buildKey: key });
  if (!source) return null;
  const image = await tools.images.inspect(source.imageId);
  if (!image || !(await takeImageOf(tools.prisma, job.claim, source))) return null;
  await tools.checkpoint('built');
  const builder = source.imageReusedFromId ?? source.id;
  const text = `Commit ${commitSha.slice(0, 7)} was built by deployment ${builder} with the same settings: using its image ${source.imageTag}. To build it anew, deploy with no_cache.`;
  job.say({ text, level: 'deploy' });
  return image;
}
