import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../clock/clock.ts';
import type { PrismaClient } from '../../db/database.ts';
import type { Logger } from '../../logger/logger.ts';
import { openCursor } from '../../logs/log-cursor.ts';
import { SecretMask } from '../../logs/secret-mask.ts';
import type { Secret } from '../../secrets/secret.ts';
import type { RunningContainer, RuntimeLogs } from '../ports.ts';
import { LineRate } from './line-rate.ts';
import { OutputReader } from './output-reader.ts';

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

export interface ReadTools {
  readonly prisma: PrismaClient;
  readonly runtimeLogs: RuntimeLogs;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What must not stand in the lines of that release. */
  readonly releaseSecrets: (deploymentId: string) => Promise<readonly Secret[]>;
}

/** Runs a store when it is its turn. */
export type StoreGate = (store: () => Promise<boolean>) => Promise<boolean>;

/**
 * Stores what a container writes until it has ended and all of it is stored, or the signal is aborted (then it rejects).
 * Each line once, whoever else reads the same container: lines and cursor are committed together, and after any trouble
 * reading begins again from the cursor. It reads no faster than it stores, so its memory is one batch.
 */
export async function readContainer(
  container: RunningContainer,
  tools: ReadTools,
  { signal, gate = (store) => store() }: { signal: AbortSignal; gate?: StoreGate },
): Promise<void> {
  // Kept over readings, or each would begin with a full allowance.
  const rate = new LineRate();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
    const done = new AbortController();
    try {
      signal.throwIfAborted();
      const cursor = await openCursor(tools.prisma, container);
      if (cursor === null) return;
      const mask = new SecretMask(await tools.releaseSecrets(container.deploymentId));
      const options = { mask, rate, gate, signal: AbortSignal.any([signal, done.signal]) };
      const outcome = await new OutputReader(container, tools, cursor, options).run();
      if (outcome === 'ended') return;
    } catch (error) {
      signal.throwIfAborted();
      const { containerName } = container;
      tools.logger.debug({ err: error, containerName }, 'reading broken off, going on from the cursor');
    } finally {
      done.abort();
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}
