import { hostname } from 'node:os';
import type { PlatformWarning } from '../errors/platform-warnings.ts';
import type { Tools } from './job.ts';
import { removeWorker, reportWorker } from './worker-presence-store.ts';

const REPORT_EVERY_MS = 10_000;
/** Docker may be updated under a worker that goes on, as live-restore and `bin/up` allow. */
const LOOK_FOR_WARNINGS_EVERY_MS = 300_000;

/** What the operator should mend of what this worker works with. Rejects while it cannot be known. */
export type FindWarnings = () => Promise<readonly PlatformWarning[]>;

/** Tells the database that this worker lives, and what it warns of, until the signal is aborted. */
export async function runPresence(
  { prisma, clock, logger }: Pick<Tools, 'prisma' | 'clock' | 'logger'>,
  options: {
    readonly identity: { readonly id: string };
    readonly findWarnings: FindWarnings;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { identity, findWarnings, signal } = options;
  const me = { id: identity.id, hostname: hostname(), pid: process.pid };
  let warnings: readonly PlatformWarning[] = [];
  let foundAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    if (clock.now() - foundAt >= LOOK_FOR_WARNINGS_EVERY_MS) {
      const found = await findWarnings().catch(() => null);
      if (found !== null) [warnings, foundAt] = [found, clock.now()];
    }
    await reportWorker(prisma, { ...me, warnings }).catch((error: unknown) =>
      logger.warn({ err: error }, 'presence not reported'),
    );
    await clock.sleep(REPORT_EVERY_MS, signal).catch(() => undefined);
  }
  await removeWorker(prisma, identity.id).catch(() => undefined);
}
