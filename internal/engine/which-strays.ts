import type { RunningContainer } from './ports.ts';

/** A container of ours whose deployment has no row. */
export interface Stray extends RunningContainer {
  readonly isRunning: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** What the rows say of an app that strays call theirs. */
export interface StrayApp {
  readonly shouldRun: boolean;
  /** When its live release went live, milliseconds since 1970; null: it has none. */
  readonly liveSince: number | null;
}

/**
 * Rows may have been restored from a backup. So an app that has been deployed after it goes on being served by what
 * runs: the newest release that no row knows, if it is newer than the one the rows know (F51). Everything else that
 * nobody explains is to be stopped, and kept for a while (F42).
 */
export function sortStrays(
  strays: readonly Stray[],
  apps: ReadonlyMap<string, StrayApp>,
): { serving: Stray[]; toQuarantine: Stray[] } {
  const newest = new Map<string, Stray>();
  for (const stray of strays) {
    const app = apps.get(stray.appId);
    if (!app?.shouldRun || !stray.isRunning || stray.createdAt <= (app.liveSince ?? 0)) continue;
    const best = newest.get(stray.appId);
    if (!best || stray.createdAt > best.createdAt) newest.set(stray.appId, stray);
  }
  const serves = (stray: Stray) => {
    const best = newest.get(stray.appId);
    return best?.deploymentId === stray.deploymentId && best.attempt === stray.attempt;
  };
  return { serving: strays.filter(serves), toQuarantine: strays.filter((stray) => !serves(stray)) };
}
