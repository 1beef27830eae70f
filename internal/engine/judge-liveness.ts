import { DeploymentFailed } from '../errors/deployment-failed.ts';

/**
 * Whether a live release keeps running. Docker restarts what ends (policy `always`): within a tenth of a second, with a
 * pause that doubles up to a minute, without a worker and over a reboot. So nothing here restarts; it counts how often
 * Docker did, by RestartCount, for a crash loop looked at for one moment says `running` (M10).
 */

/** This many restarts of one replica, on average, within the window are a crash loop; a window without any ends it. */
const RESTARTS_OF_A_LOOP = 5;
const WINDOW_MS = 10 * 60_000;
/** Before what we ourselves start is started once more. */
const PAUSES_SECONDS = [1, 5, 30, 120, 300] as const;

/** Restarts since the first one of a window. */
export interface RestartCount {
  readonly restarts: number;
  readonly windowStart: Date;
}

export function addRestarts(before: RestartCount | null, more: number, now: Date): RestartCount {
  const isOver = before === null || now.getTime() - before.windowStart.getTime() > WINDOW_MS;
  return isOver
    ? { restarts: more, windowStart: now }
    : { restarts: before.restarts + more, windowStart: before.windowStart };
}

/** How often Docker has restarted a container since it was looked at last. */
export function restartsSince(of: {
  /** RestartCount now, and when it was seen last; null: by this worker never. */
  readonly count: number;
  readonly seen: number | null;
  /** Of a release that is live for no longer than a window every restart is one of the window. */
  readonly liveAt: Date | null;
  readonly recorded: number;
  readonly now: Date;
}): number {
  const { count, seen } = of;
  // A start by hand, or by a daemon that was restarted, begins again from 0.
  if (seen !== null) return count >= seen ? count - seen : count;
  const isYoung = of.liveAt !== null && of.now.getTime() - of.liveAt.getTime() < WINDOW_MS;
  return isYoung ? Math.max(0, count - of.recorded) : 0;
}

export function isCrashLoop({ restarts }: RestartCount, replicas: number): boolean {
  return restarts >= RESTARTS_OF_A_LOOP * replicas;
}

/** A release that was called crashed is live again once it has run through a whole window. */
export function hasRecovered(of: { runsAll: boolean; lastRestart: Date | null; now: Date }): boolean {
  const quietMs = of.lastRestart === null ? Infinity : of.now.getTime() - of.lastRestart.getTime();
  return of.runsAll && quietMs >= WINDOW_MS;
}

export function pauseSeconds(restarts: number): number {
  return PAUSES_SECONDS[Math.min(restarts, PAUSES_SECONDS.length) - 1] ?? 0;
}

/** How a process of a live release ended, as far as it was told. */
export interface End {
  readonly exitCode: number | null;
  readonly outOfMemory: boolean;
}

export function describeEnd(end: End | null, memoryMb: number): string {
  if (end?.outOfMemory) return `used more memory than its limit of ${memoryMb} MB`;
  return end?.exitCode == null ? 'ended' : `ended with exit code ${end.exitCode}`;
}

export function explainCrashLoop(of: {
  readonly restarts: number;
  readonly end: End | null;
  readonly memoryMb: number;
  readonly logTail: readonly string[];
}): DeploymentFailed {
  const { end, logTail } = of;
  const how = describeEnd(end, of.memoryMb);
  const evidence = {
    logTail,
    outOfMemory: end?.outOfMemory ?? false,
    ...(end?.exitCode == null ? {} : { exitCode: end.exitCode }),
  };
  return new DeploymentFailed(
    end?.outOfMemory ? 'out_of_memory' : 'crash_loop',
    `The app was restarted ${of.restarts} times within ten minutes; the last time it ${how}.`,
    { evidence },
  );
}
