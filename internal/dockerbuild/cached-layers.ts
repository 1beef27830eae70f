import type Dockerode from 'dockerode';
import type { CachedLayer } from '../engine/ports.ts';

type ListedImage = Pick<Dockerode.ImageInfo, 'Id' | 'ParentId' | 'Labels' | 'Created' | 'Size' | 'RepoTags'>;

/**
 * Of all images of a daemon, nameless layers among them, those that builds of ours left as cache. Each counts with what
 * it adds to its parent. Needed is what an image with a name, ours or not, or a container stands on.
 */
export function cachedLayersAmong(
  images: readonly ListedImage[],
  of: { instanceId: string; usedImages: ReadonlySet<string> },
): CachedLayer[] {
  const byId = new Map(images.map((image) => [image.Id, image]));
  const needed = new Set<string>();
  for (const image of images) {
    if (!hasName(image) && !of.usedImages.has(image.Id)) continue;
    for (let at: ListedImage | undefined = image; at && !needed.has(at.Id); at = byId.get(at.ParentId)) {
      needed.add(at.Id);
    }
  }
  return images
    .filter((image) => isLayerOf(image, of.instanceId))
    .map((image) => ({
      imageId: image.Id,
      parentId: image.ParentId === '' ? null : image.ParentId,
      appId: image.Labels['berth.app'] ?? '',
      bytes: Math.max(0, image.Size - (byId.get(image.ParentId)?.Size ?? 0)),
      createdAt: new Date(image.Created * 1000),
      isNeeded: needed.has(image.Id),
    }));
}

/** Engines tell of a nameless image as no tag, or as `<none>:<none>`. */
function hasName({ RepoTags }: ListedImage): boolean {
  return (RepoTags ?? []).some((tag) => tag !== '<none>:<none>');
}

/** Built for an app of this installation, and not the image of a deployment. */
function isLayerOf({ Labels }: ListedImage, instanceId: string): boolean {
  return (
    Labels?.['berth.instance'] === instanceId &&
    Labels['berth.app'] !== undefined &&
    Labels['berth.deployment'] === undefined
  );
}
