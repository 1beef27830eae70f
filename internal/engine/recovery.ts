import type { SealedBox } from '../secrets/sealed-box.ts';
import { eachPart } from './each-part.ts';
import { HeldDuty } from './held-duty.ts';
import { noteMissingImages } from './image-marks-store.ts';
import type { Tools } from './job.ts';
import { KnownStrays, quarantineStrays } from './quarantine.ts';
import { removeBuildLeftovers, removeOutlived } from './remove-leftovers.ts';
import { restartUnresponsive, UnansweredProbes } from './restart-unresponsive.ts';
import { type Concern, restoreReleases } from './restore-releases.ts';
import { SeenRestarts } from './seen-restarts.ts';
import { AppStopper } from './stop-apps.ts';
import { Bell } from './worker-loop.ts';

/** Two at once do little harm, so a lost one is replaced sooner than a lease of a deployment would allow. */
const LEASE_SECONDS = 10;
const LOOK_EVERY_MS = 30_000;
const LOOK_AT_IMAGES_EVERY_MS = 300_000;
const PROBE_EVERY_MS = 15_000;
/** Docker restarts by itself what has only ended: until then it is left to it. */
const SETTLE_MS = 1_000;

export interface RecoveryOptions {
  readonly identity: { readonly id: string };
  readonly pollIntervalMs: number;
  readonly box: SealedBox;
  readonly notifications: {
    subscribe(channel: string, listener: (payload: string) => void): () => void;
  } | null;
  readonly signal: AbortSignal;
}

/**
 * One worker at a time keeps what is live running, and ends what is to stop. Apart from the reconciler, whose deletions
 * may take minutes.
 */
export async function runRecovery(tools: Tools, options: RecoveryOptions): Promise<void> {
  const { identity, pollIntervalMs, box, notifications, signal } = options;
  const bells = {
    releases: new Bell(),
    strays: new Bell(),
    images: new Bell(),
    stops: new Bell(),
    probes: new Bell(),
  };
  const concern = new PendingConcern();
  const duty = new HeldDuty(tools, 'recovery', {
    worker: { id: identity.id, leaseSeconds: LEASE_SECONDS },
    onTaken: () => {
      for (const bell of Object.values(bells)) bell.ring();
    },
  });
  const seen = new SeenRestarts(tools.clock);
  const watching = tools.containerEvents.watch((event) => {
    if (event) seen.note(event);
    concern.add(event?.deploymentId ?? null);
    bells.releases.ring();
  }, signal);
  const unsubscribe = notifications?.subscribe('deployment_queued', () => bells.stops.ring());
  const stopper = new AppStopper({ ...tools, box });
  const unanswered = new UnansweredProbes();
  const known = new KnownStrays();

  const whenever = (bell: Bell, everyMs: number, work: (signal: AbortSignal) => Promise<void>) =>
    repeat(tools, { bell, everyMs, duty, signal }, work);
  await Promise.all([
    whenever(bells.releases, LOOK_EVERY_MS, async (held) => {
      await tools.clock.sleep(SETTLE_MS, held);
      const due = concern.take(tools.clock.now());
      await restoreReleases({ ...tools, box }, { seen, concern: due, signal: held });
    }),
    whenever(bells.strays, LOOK_EVERY_MS, () =>
      eachPart(tools.logger, {
        quarantineStrays: () => quarantineStrays(tools, known),
        removeBuildLeftovers: () => removeBuildLeftovers(tools),
        removeOutlived: () => removeOutlived(tools),
      }),
    ),
    whenever(bells.images, LOOK_AT_IMAGES_EVERY_MS, () => lookForImages(tools)),
    whenever(bells.stops, pollIntervalMs, (held) => stopper.look(held)),
    whenever(bells.probes, PROBE_EVERY_MS, (held) =>
      restartUnresponsive({ ...tools, box }, unanswered, held),
    ),
  ]);
  unsubscribe?.();
  await stopper.settled();
  await duty.drop();
  await watching;
}

/** Works whenever the bell rings or the time is over, as long as this worker has the duty. */
async function repeat(
  { clock, logger }: Pick<Tools, 'clock' | 'logger'>,
  of: { bell: Bell; everyMs: number; duty: HeldDuty; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { bell, signal } = of;
  while (!signal.aborted) {
    await bell.wait(of.everyMs, clock, signal);
    const held = of.duty.signal;
    if (held === null || signal.aborted) continue;
    try {
      await work(AbortSignal.any([signal, held]));
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'recovery interrupted, trying again');
    }
  }
}

/** Which releases the next look is for: everything at start, twice a minute and when Docker was away. */
class PendingConcern {
  #pending: Concern = 'all';
  #wholeAt = Number.NEGATIVE_INFINITY;

  /** @param deploymentId null: any of them */
  add(deploymentId: string | null): void {
    if (deploymentId === null || this.#pending === 'all') this.#pending = 'all';
    else this.#pending = new Set([...this.#pending, deploymentId]);
  }

  take(now: number): Concern {
    const due = now - this.#wholeAt >= LOOK_EVERY_MS ? 'all' : this.#pending;
    if (due === 'all') this.#wholeAt = now;
    this.#pending = new Set();
    return due;
  }
}

/** F40: a rollback is offered only while its image is there. */
async function lookForImages({ prisma, images, logger }: Tools): Promise<void> {
  const [clock] = await prisma.$queryRaw<{ now: Date }[]>`SELECT now()`;
  const present = (await images.list({})).map(({ imageId }) => imageId);
  const count = clock ? await noteMissingImages(prisma, { present, lookedAt: clock.now }) : 0;
  if (count > 0) logger.warn({ count }, 'images of releases are gone');
}
