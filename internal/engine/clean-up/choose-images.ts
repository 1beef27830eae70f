import type { ImageSummary } from '../ports.ts';

/** An image younger than this may belong to a build that is about to be recorded. */
export const YOUNG_IMAGE_MS = 60 * 60 * 1000;

/** Images of ended deployments that no release, rollback target or deployment under way needs. */
export function imagesToRemove(
  images: readonly ImageSummary[],
  needed: ReadonlyMap<string, ReadonlySet<string>>,
  now: number,
): ImageSummary[] {
  return images.filter(
    ({ imageId, appId, createdAt }) =>
      !needed.get(appId)?.has(imageId) && now - createdAt.getTime() > YOUNG_IMAGE_MS,
  );
}
