import type { Mirror } from '../ports.ts';

/** Mirrors of repositories that no app has any more; and of the others, while they are too much, the longest unused. */
export function mirrorsToRemove(
  mirrors: readonly Mirror[],
  { used, maxBytes }: { used: ReadonlySet<string>; maxBytes: number },
): Mirror[] {
  const removed = mirrors.filter(({ name }) => !used.has(name));
  const kept = mirrors.filter(({ name }) => used.has(name));
  let bytes = kept.reduce((sum, mirror) => sum + mirror.bytes, 0);
  for (const mirror of kept.toSorted((a, b) => a.usedAt.getTime() - b.usedAt.getTime())) {
    if (bytes <= maxBytes) break;
    removed.push(mirror);
    bytes -= mirror.bytes;
  }
  return removed;
}
