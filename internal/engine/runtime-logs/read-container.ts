import { setTimeout as delay } from 'node:timers/promises';
import type { PrismaClient } from '../../db/database.ts';
import type { Logger } from '../../logger/logger.ts';
import { openCursor } from '../../logs/log-cursor.ts';
import { SecretMask } from '../../logs/secret-mask.ts';
import type { Secret } from '../../secrets/secret.ts';
import type { RunningContainer, RuntimeLogs } from '../ports.ts';
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
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      const mask = new SecretMask(await tools.releaseSecrets(container.deploymentId));
      if (await readToEnd(container, tools, { mask, gate, signal })) return;
    } catch (error) {
      signal.throwIfAborted();
      const { containerName } = container;
      tools.logger.debug(
        { err: error, containerName },
        'reading output broken off, going on from the cursor',
      );
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** False: another reader has moved the cursor. */
async function readToEnd(
  container: RunningContainer,
  { prisma, runtimeLogs }: ReadTools,
  of: { mask: SecretMask; gate: StoreGate; signal: AbortSignal },
): Promise<boolean> {
  const cursor = await openCursor(prisma, container);
  if (cursor === null) return true;
  const batch = new OutputBatch(container, cursor, of.mask);
  const done = new AbortController();
  const signal = AbortSignal.any([of.signal, done.signal]);
  const output = runtimeLogs.read(container.containerId, { fromNs: OutputProgress.startOf(cursor), signal });
  try {
    for await (const pieces of untilDue(output, batch)) {
      batch.push(pieces);
      if (batch.dueInMs === 0 && !(await of.gate(() => batch.store(prisma)))) return false;
    }
    return await of.gate(() => batch.store(prisma));
  } finally {
    done.abort();
  }
}
