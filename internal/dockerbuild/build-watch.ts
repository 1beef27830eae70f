import { setTimeout as delay } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import type { BuildLimits, DiskProbe } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Logger } from '../logger/logger.ts';
import { CPU_PERIOD_MICROSECONDS, type PlatformLimits } from './build-options.ts';
import { readBuilderNews } from './builder-news.ts';
import { withDeadline } from './deadline.ts';
import { statusOf } from './error-facts.ts';
import { type BuildFacts, judgeBuild } from './judge-build.ts';

const TICK_MS = 500;
/** Where processes end as fast as others begin, fewer than all are there at most moments. */
const CROWDED_SHARE = 0.9;
const FIRST_MEASURE_MS = 1_000;
const PAUSE_PER_COST = 10;
/** A step can print ids of layers as fast as it likes. */
const MAX_PENDING = 100;

/** An option of the API that dockerode's types do not know. */
const WITH_SIZE: object = { size: true };

interface Step {
  readonly id: string;
  /** Labels that are not ours. Where nothing runs with them they do no harm: the image gets ours over them. */
  readonly forgery: DeploymentFailed | null;
  readonly written: CostlySize;
  crowdedSince: number | null;
}

/** All that was written is walked over to tell its size: at most a tenth of the time is spent on that. */
class CostlySize {
  bytes = 0;
  #nextAt = Date.now() + FIRST_MEASURE_MS;
  readonly #measure: () => Promise<number>;

  constructor(measure: () => Promise<number>) {
    this.#measure = measure;
  }

  async refresh(): Promise<void> {
    const startedAt = Date.now();
    if (startedAt < this.#nextAt) return;
    try {
      this.bytes = await this.#measure();
    } finally {
      this.#nextAt = Date.now() + Math.max(FIRST_MEASURE_MS, (Date.now() - startedAt) * PAUSE_PER_COST);
    }
  }
}

/**
 * Holds a build to what the builder itself does not: processes, disk, silence. The steps of a classic build are
 * containers, which the daemon lets us limit and ask about. A box has its processes limited, and tells what it has written.
 * Of the daemon's own BuildKit nothing is told, so there only silence and the room on the disk count.
 */
export class BuildWatch {
  readonly #docker: Dockerode;
  readonly #disk: DiskProbe;
  readonly #limits: PlatformLimits;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #logger: Logger;
  readonly #startedAt = Date.now();
  #box: CostlySize | null = null;
  /** Those that have not been seen to be gone. */
  readonly #steps = new Map<string, Step>();
  /** Layers that were told of, and what each that this build made adds to the one below. */
  readonly #pending = new Set<string>();
  readonly #added = new Map<string, number>();
  #latest: { readonly id: string; readonly isLimited: boolean; wasCrowded: boolean } | null = null;
  #silentSince: number | null = null;
  #saidNoFork = false;
  #forgery: DeploymentFailed | null = null;

  constructor(options: {
    docker: Dockerode;
    disk: DiskProbe;
    limits: PlatformLimits;
    /** By these a step is found again when its worker is lost. */
    labels: Readonly<Record<string, string>>;
    logger: Logger;
  }) {
    this.#docker = options.docker;
    this.#disk = options.disk;
    this.#limits = options.limits;
    this.#labels = options.labels;
    this.#logger = options.logger;
  }

  /** The container of the step that runs, or ran last; `wasCrowded`: it was seen with as many processes as it may have. */
  get latestStep(): {
    readonly id: string;
    readonly isLimited: boolean;
    readonly wasCrowded: boolean;
  } | null {
    return this.#latest;
  }

  /** One message of the daemon. Resolves when the step that it tells of is limited; until `listen` silence is ours. */
  async take(message: unknown): Promise<void> {
    this.rest();
    const news = readBuilderNews(message);
    if (news?.kind === 'step_container') await this.#limit(news.id);
    else if (news?.kind === 'layer' && this.#pending.size < MAX_PENDING) this.#pending.add(news.id);
  }

  /** The daemon has said all, or is not waited for. */
  rest(): void {
    this.#silentSince = null;
  }

  /** From now on the next message is waited for. `couldNotFork`: the step has written that it could start no process. */
  listen({ couldNotFork }: { readonly couldNotFork: boolean }): void {
    this.#silentSince = Date.now();
    this.#saidNoFork = couldNotFork;
  }

  /** So it was, and the limit is one of ours. */
  get couldNotFork(): boolean {
    return this.#saidNoFork && (this.#box !== null || this.#latest?.isLimited === true);
  }

  /** From now on the build is in a box: `measure` tells the bytes that it has written. Null: it is over. */
  lookInto(measure: (() => Promise<number>) | null): void {
    this.#box = measure && new CostlySize(measure);
  }

  /** Looks at the build until the signal is aborted, and ends it at the first limit that it has passed. */
  async run(end: (failure: DeploymentFailed) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#look();
      const failure = this.#forgery ?? judgeBuild(await this.#facts(), this.#limits);
      if (failure !== null) return end(failure);
    }
  }

  /** The builder has no option for it; but it tells of a container before it starts it. */
  async #limit(id: string): Promise<void> {
    if (this.#steps.has(id)) return;
    const container = this.#docker.getContainer(id);
    try {
      const { HostConfig, Created, Image, Config } = await withDeadline(container.inspect());
      if (!isStepOf(HostConfig, this.#limits) || !this.#isOfThisBuild(Created)) return;
      this.#steps.set(id, {
        id,
        forgery: forgeryIn(Config.Labels, this.#labels),
        written: new CostlySize(() => writtenBytes(container)),
        crowdedSince: null,
      });
      this.#pending.add(Image);
      this.#latest = { id, isLimited: false, wasCrowded: false };
      await withDeadline(container.update({ PidsLimit: this.#limits.pids }));
      this.#latest = { id, isLimited: true, wasCrowded: false };
    } catch (error) {
      // It has ended already.
      if (statusOf(error) === 404 || statusOf(error) === 409) return;
      this.#logger.warn({ err: error, containerId: id }, 'processes of a build step cannot be limited');
    }
  }

  async #look(): Promise<void> {
    try {
      for (const id of this.#pending) {
        await this.#countLayers(id);
        this.#pending.delete(id);
      }
      for (const step of this.#steps.values()) await this.#lookAt(step);
      await this.#box?.refresh();
    } catch (error) {
      // A daemon that is away ends the build itself.
      this.#logger.debug({ err: error }, 'a build cannot be looked at');
    }
  }

  async #lookAt(step: Step): Promise<void> {
    const container = this.#docker.getContainer(step.id);
    try {
      const { pids_stats: pids } = await withDeadline(container.stats({ stream: false, 'one-shot': true }));
      const running = pids?.current ?? 0;
      // Instructions that run nothing, such as ENV, are containers too, which are never started.
      if (running > 0) this.#forgery ??= step.forgery;
      const isCrowded = running >= this.#limits.pids * CROWDED_SHARE;
      step.crowdedSince = isCrowded ? (step.crowdedSince ?? Date.now()) : null;
      if (isCrowded && this.#latest?.id === step.id) this.#latest.wasCrowded = true;
      await step.written.refresh();
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      this.#steps.delete(step.id);
    }
  }

  /** From this layer down to what was there before the build. Engines that do not tell what is below tell nothing. */
  async #countLayers(top: string): Promise<void> {
    let above: { Id: string; Size: number } | null = null;
    for (let id = top; id !== ''; ) {
      const layer = await this.#findImage(id);
      if (layer === null) return;
      if (above !== null) this.#added.set(above.Id, Math.max(0, above.Size - layer.Size));
      if (this.#added.has(layer.Id) || !this.#isOfThisBuild(layer.Created)) return;
      above = layer;
      id = layer.Parent;
    }
  }

  async #findImage(id: string): Promise<Dockerode.ImageInspectInfo | null> {
    try {
      return await withDeadline(this.#docker.getImage(id).inspect());
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  #isOfThisBuild(created: string): boolean {
    return Date.parse(created) >= this.#startedAt;
  }

  async #facts(): Promise<BuildFacts> {
    const now = Date.now();
    const steps = [...this.#steps.values()];
    const inSteps = steps.map(({ written }) => written.bytes);
    const written = [...this.#added.values(), ...inSteps, this.#box?.bytes ?? 0];
    const crowdedSince = steps.flatMap((step) => step.crowdedSince ?? []);
    const disk = await this.#disk.read().catch(() => null);
    return {
      silentMs: this.#silentSince === null ? 0 : now - this.#silentSince,
      crowdedMs: crowdedSince.length === 0 ? 0 : now - Math.min(...crowdedSince),
      couldNotFork: this.couldNotFork,
      writtenBytes: written.reduce((sum, bytes) => sum + bytes, 0),
      freeBytes: disk?.freeBytes ?? null,
    };
  }
}

async function writtenBytes(container: Dockerode.Container): Promise<number> {
  const sized = await withDeadline(container.inspect(WITH_SIZE));
  return Number(Reflect.get(sized, 'SizeRw') ?? 0);
}

/** Only steps of builds have just these limits: what a step prints must not change any other container. */
function isStepOf(
  { Memory, CpuQuota, CpuPeriod, Binds }: Dockerode.HostConfig,
  { memoryMb, cpus }: Pick<BuildLimits, 'memoryMb' | 'cpus'>,
): boolean {
  return (
    Memory === memoryMb * 1024 * 1024 &&
    CpuPeriod === CPU_PERIOD_MICROSECONDS &&
    CpuQuota === Math.round(cpus * CPU_PERIOD_MICROSECONDS) &&
    (Binds ?? []).length === 0
  );
}

/** Labels that its Dockerfile has changed would hide a step that outlives its worker, or pass it off as another app's. */
function forgeryIn(
  found: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, string>>,
): DeploymentFailed | null {
  const changed = Object.keys(ours).filter((key) => found[key] !== undefined && found[key] !== ours[key]);
  if (changed.length === 0) return null;
  return new DeploymentFailed(
    'image_label_forbidden',
    `The Dockerfile sets labels that only the platform may give: ${changed.join(', ')}.`,
  );
}
