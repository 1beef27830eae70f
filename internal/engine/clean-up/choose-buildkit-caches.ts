/** What BuildKit keeps of one app's builds. */
export interface BuildKitCache {
  readonly appId: string;
  readonly bytes: number;
  /** Null: not known, so long ago. */
  readonly usedAt: Date | null;
}

/**
 * Caches of apps that are gone; and of the others, while they are too much, the longest unused. One of an app that
 * builds right now counts, but stays.
 */
export function cachesToRemove(
  caches: readonly BuildKitCache[],
  limits: { apps: ReadonlySet<string>; busyApps: ReadonlySet<string>; maxBytes: number },
): BuildKitCache[] {
  const removed = caches.filter(({ appId }) => !limits.apps.has(appId));
  const kept = caches.filter(({ appId }) => limits.apps.has(appId));
  let bytes = kept.reduce((sum, cache) => sum + cache.bytes, 0);
  const mayGo = kept.filter(({ appId }) => !limits.busyApps.has(appId));
  for (const cache of mayGo.toSorted((a, b) => lastUse(a) - lastUse(b))) {
    if (bytes <= limits.maxBytes) break;
    removed.push(cache);
    bytes -= cache.bytes;
  }
  return removed;
}

function lastUse({ usedAt }: BuildKitCache): number {
  return usedAt?.getTime() ?? 0;
}
