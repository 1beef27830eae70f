import type { Clock } from '../clock/clock.ts';
import type { End } from './judge-liveness.ts';
import type { ContainerEvent } from './ports.ts';

/** The kernel's word and Docker's of one and the same end are no further apart. */
const SAME_END_MS = 5_000;

/**
 * What this worker has seen of its containers' ends: how often each was restarted at the last look, and how it ended,
 * which Docker itself forgets when it starts it again. In memory only: a worker that is new here begins to count.
 */
export class SeenRestarts {
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  readonly #ends = new Map<string, End & { readonly at: number }>();
  readonly #outOfMemory = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note({ containerId, kind, exitCode }: ContainerEvent): void {
    const at = this.#clock.now();
    const end = this.#ends.get(containerId);
    if (kind === 'ended') {
      const outOfMemory = at - (this.#outOfMemory.get(containerId) ?? -Infinity) <= SAME_END_MS;
      if (outOfMemory) this.#outOfMemory.delete(containerId);
      this.#ends.set(containerId, { exitCode, outOfMemory, at });
    } else if (kind === 'out_of_memory') {
      if (end && at - end.at <= SAME_END_MS) this.#ends.set(containerId, { ...end, outOfMemory: true });
      else this.#outOfMemory.set(containerId, at);
    }
  }

  /** Its RestartCount at the last look; null: this is the first. */
  countOf(containerId: string): number | null {
    return this.#counts.get(containerId) ?? null;
  }

  lookedAt(containerId: string, restartCount: number): void {
    this.#counts.set(containerId, restartCount);
  }

  lastEnd(containerId: string): End | null {
    return this.#ends.get(containerId) ?? null;
  }

  /** True once for each time that a process in it was ended for its memory and the container ran on. */
  takeOutOfMemory(containerId: string): boolean {
    const at = this.#outOfMemory.get(containerId);
    if (at === undefined || this.#clock.now() - at <= SAME_END_MS) return false;
    return this.#outOfMemory.delete(containerId);
  }

  /** Whatever else there was is gone. */
  keepOnly(containerIds: ReadonlySet<string>): void {
    for (const map of [this.#counts, this.#ends, this.#outOfMemory]) {
      for (const id of map.keys()) if (!containerIds.has(id)) map.delete(id);
    }
  }
}
