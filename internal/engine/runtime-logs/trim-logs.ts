import type { PrismaClient } from '../../db/database.ts';
import type { Logger } from '../../logger/logger.ts';
import { dropCursorsExcept } from '../../logs/log-cursor.ts';
import { LINE_OVERHEAD_BYTES, TRIM_BATCH_LINES, type TrimRule, trimLines } from '../../logs/trim-lines.ts';
import type { RunningContainer } from '../ports.ts';
import { markExpired, oldBuildLogs, runtimeLogsBeyond } from './trim-logs-store.ts';

export interface LogLimits {
  readonly runtimeLogMaxMb: number;
  readonly runtimeLogMaxDays: number;
  readonly buildLogMaxDays: number;
}

const MEGABYTE = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Trimmed to this part of the cap, so that it is not done for every few lines. */
const TRIM_TO = 0.9;
/** Of one pass, so that the collector's other work goes on. */
const MAX_BATCHES = 100;
const MAX_BUILD_LOGS = 20;

/** Brings logs within their caps, the oldest lines first, in short statements. */
export async function trimLogs(
  tools: { prisma: PrismaClient; logger: Logger; settings: LogLimits },
  containers: readonly RunningContainer[],
): Promise<void> {
  const { prisma, settings } = tools;
  const maxBytes = settings.runtimeLogMaxMb * MEGABYTE;
  const before = new Date(Date.now() - settings.runtimeLogMaxDays * DAY_MS);
  const kept = `an app's log is kept to ${settings.runtimeLogMaxMb} MB and ${settings.runtimeLogMaxDays} days.`;
  for (const streamId of await runtimeLogsBeyond(prisma, {
    maxBytes,
    before,
    lineBytes: LINE_OVERHEAD_BYTES,
  })) {
    await trim(tools, streamId, { maxBytes: maxBytes * TRIM_TO, before, why: kept });
  }
  const buildsBefore = new Date(Date.now() - settings.buildLogMaxDays * DAY_MS);
  const why = `build logs are kept ${settings.buildLogMaxDays} days.`;
  for (const streamId of await oldBuildLogs(prisma, buildsBefore, MAX_BUILD_LOGS)) {
    const isDone = await trim(tools, streamId, { maxBytes: 0, before: new Date(), why });
    if (isDone) await markExpired(prisma, streamId);
  }
  await dropCursorsExcept(
    prisma,
    containers.map(({ containerId }) => containerId),
  );
}

/** False: there is more to do at the next pass. */
async function trim(
  { prisma, logger }: { prisma: PrismaClient; logger: Logger },
  streamId: string,
  rule: TrimRule,
): Promise<boolean> {
  let dropped = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const count = await trimLines(prisma, streamId, rule);
    dropped += count;
    if (count < TRIM_BATCH_LINES) {
      if (dropped > 0) logger.info({ streamId, dropped }, 'log trimmed');
      return true;
    }
  }
  return false;
}
