import { setTimeout as delay } from 'node:timers/promises';
import type { PrismaClient } from '../../db/database.ts';
import type { Logger } from '../../logger/logger.ts';
import { openCursor } from '../../logs/log-cursor.ts';
import { SecretMask } from '../../logs/secret-mask.ts';
import type { Secret } from '../../secrets/secret.ts';
import type { RunningContainer, RuntimeLogs } from '../ports.ts';
import { JumpWatch } from './jump-watch.ts';
import { LineRate } from './line-rate.ts';
import { OutputBatch } from './output-batch.ts';
import { OutputProgress } from './output-progress.ts';
import { untilDue } from './until-due.ts';

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

export interface ReadTools {
  readonly prisma: PrismaClient;
  readonly runtimeLogs: RuntimeLogs;
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
  const jumps = new JumpWatch();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
    try {
      let outcome: Outcome;
      do {
        signal.throwIfAborted();
        const mask = new SecretMask(await tools.releaseSecrets(container.deploymentId));
        outcome = await readOnce(container, tools, { mask, rate, jumps, gate, signal });
        // The end of a telling is not the end of the output: 20.10 stops early when the rotation has outrun it.
      } while (outcome === 'stored');
      if (outcome === 'nothing new') return;
    } catch (error) {
      signal.throwIfAborted();
      const { containerName } = container;
      tools.logger.debug({ err: error, containerName }, 'reading broken off, going on from the cursor');
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** `overtaken`: another reader has moved the cursor; what was read here is forgotten. */
type Outcome = 'nothing new' | 'stored' | 'overtaken';

async function readOnce(
  container: RunningContainer,
  { prisma, runtimeLogs }: ReadTools,
  of: { mask: SecretMask; rate: LineRate; jumps: JumpWatch; gate: StoreGate; signal: AbortSignal },
): Promise<Outcome> {
  const cursor = await openCursor(prisma, container);
  if (cursor === null) return 'nothing new';
  const batch = new OutputBatch(container, cursor, of);
  const done = new AbortController();
  const signal = AbortSignal.any([of.signal, done.signal]);
  const output = runtimeLogs.read(container.containerId, { fromNs: OutputProgress.startOf(cursor), signal });
  const store = () => of.gate(() => batch.store(prisma));
  try {
    for await (const pieces of untilDue(output, batch)) {
      const isWhole = batch.push(pieces);
      if ((batch.dueInMs === 0 || !isWhole) && !(await store())) return 'overtaken';
      if (!isWhole) return 'stored';
    }
    if (!(await store())) return 'overtaken';
    return batch.hasStored ? 'stored' : 'nothing new';
  } finally {
    done.abort();
  }
}
