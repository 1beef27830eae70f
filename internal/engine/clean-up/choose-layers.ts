import type { CachedLayer } from '../ports.ts';

/**
 * Which layers of the build cache go, in an order in which Docker can remove them: the oldest first, and none before
 * what stands on it, until the rest is small enough. A layer of an image that is kept costs nothing more and stays; so
 * do the layers of apps that build right now.
 */
export function layersToRemove(
  layers: readonly CachedLayer[],
  limits: { maxBytes: number; busyApps: ReadonlySet<string> },
): CachedLayer[] {
  const children = new Map<string, number>();
  for (const { parentId } of layers) {
    if (parentId !== null) children.set(parentId, (children.get(parentId) ?? 0) + 1);
  }
  const byId = new Map(layers.map((layer) => [layer.imageId, layer]));
  const mayGo = (layer: CachedLayer) =>
    !layer.isNeeded && !limits.busyApps.has(layer.appId) && (children.get(layer.imageId) ?? 0) === 0;

  let bytes = cacheBytes(layers);
  const removed: CachedLayer[] = [];
  const ready = layers.filter(mayGo).sort(byAge);
  for (let layer = ready.shift(); layer && bytes > limits.maxBytes; layer = ready.shift()) {
    removed.push(layer);
    bytes -= layer.bytes;
    const parent = layer.parentId === null ? undefined : byId.get(layer.parentId);
    if (!parent) continue;
    children.set(parent.imageId, (children.get(parent.imageId) ?? 1) - 1);
    if (mayGo(parent)) {
      ready.push(parent);
      ready.sort(byAge);
    }
  }
  return removed;
}

/** What the cache takes beside the images that are kept. */
export function cacheBytes(layers: readonly CachedLayer[]): number {
  return layers.reduce((sum, { bytes, isNeeded }) => sum + (isNeeded ? 0 : bytes), 0);
}

function byAge(a: CachedLayer, b: CachedLayer): number {
  return a.createdAt.getTime() - b.createdAt.getTime();
}
