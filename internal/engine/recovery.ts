import type { SealedBox } from '../secrets/sealed-box.ts';
import { HeldDuty } from './held-duty.ts';
import type { Tools } from './job.ts';
import { type Concern, restoreReleases } from './restore-releases.ts';
import { SeenRestarts } from './seen-restarts.ts';
import { Bell } from './worker-loop.ts';

/** Two at once do little harm, so a lost one is replaced sooner than a lease of a deployment would allow. */
const LEASE_SECONDS = 10;
const LOOK_EVERY_MS = 30_000;
/** Docker restarts by itself what has only ended: until then it is left to it. */
const SETTLE_MS = 1_000;

export interface RecoveryOptions {
  readonly identity: { readonly id: string };
  readonly box: SealedBox;
  readonly signal: AbortSignal;
}

/**
 * One worker at a time keeps what is live running: it looks at everything at start, every half minute and when Docker
 * was away; and at one release as soon as Docker tells that a container of it has ended. Apart from the reconciler,
 * whose deletions and drains may take minutes.
 */
export async function runRecovery(tools: Tools, options: RecoveryOptions): Promise<void> {
  const { identity, box, signal } = options;
  const seen = new SeenRestarts(tools.clock);
  const bell = new Bell();
  let concern: Concern = 'all';
  const watching = tools.containerEvents.watch((event) => {
    if (event) seen.note(event);
    if (event === null || concern === 'all') concern = 'all';
    else concern = new Set([...concern, event.deploymentId]);
    bell.ring();
  }, signal);
  const worker = { id: identity.id, leaseSeconds: LEASE_SECONDS };
  const duty = new HeldDuty(tools, 'recovery', {
    worker,
    onTaken: () => {
      concern = 'all';
      bell.ring();
    },
  });

  let lookedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    await bell.wait(LOOK_EVERY_MS, tools.clock, signal);
    await tools.clock.sleep(SETTLE_MS, signal).catch(() => undefined);
    const held = duty.signal;
    if (held === null || signal.aborted) continue;
    const wholeIsDue = tools.clock.now() - lookedAt >= LOOK_EVERY_MS;
    const now: Concern = wholeIsDue ? 'all' : concern;
    if (now === 'all') lookedAt = tools.clock.now();
    concern = new Set();
    try {
      await restoreReleases(
        { ...tools, box },
        { seen, concern: now, signal: AbortSignal.any([signal, held]) },
      );
    } catch (error) {
      if (!signal.aborted) tools.logger.warn({ err: error }, 'recovery interrupted, trying again');
    }
  }
  await duty.drop();
  await watching;
}
