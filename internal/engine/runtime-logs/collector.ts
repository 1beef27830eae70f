import type { ContainerRunner, RunningContainer } from '../ports.ts';
import { type ReadTools, readContainer } from './read-container.ts';
import { Turnstile } from './turnstile.ts';

/** All readers together take so many of the process's few database connections. */
const STORES_AT_ONCE = 2;

export interface CollectorTools extends ReadTools {
  readonly containers: Pick<ContainerRunner, 'state'>;
}

/** Readers of containers, one each, for as long as this worker has the duty. */
export class Collector {
  readonly #tools: CollectorTools;
  readonly #turnstile = new Turnstile(STORES_AT_ONCE);
  readonly #readers = new Map<string, { stop: AbortController; done: Promise<void> }>();
  /** Read to the end; they are read again when they start again. */
  readonly #ended = new Set<string>();

  constructor(tools: CollectorTools) {
    this.#tools = tools;
  }

  /** Reads those of these containers that nobody reads yet. Those that are gone end by themselves. */
  read(containers: readonly RunningContainer[]): void {
    const ids = new Set(containers.map(({ containerId }) => containerId));
    for (const id of this.#ended) if (!ids.has(id)) this.#ended.delete(id);
    for (const container of containers) {
      const { containerId, replica } = container;
      // The deployment's own log has the output of its release command.
      if (replica === 0) continue;
      if (this.#readers.has(containerId) || this.#ended.has(containerId)) continue;
      const stop = new AbortController();
      const done = this.#read(container, stop.signal).finally(() => this.#readers.delete(containerId));
      this.#readers.set(containerId, { stop, done });
    }
  }

  /** It has started or ended, so there may be something to read again; null: any of them may. */
  changed(containerId: string | null): void {
    if (containerId === null) this.#ended.clear();
    else this.#ended.delete(containerId);
  }

  /** What is read and not stored stays with Docker; the next reader takes it from the cursor. */
  async stop(): Promise<void> {
    const readers = [...this.#readers.values()];
    for (const { stop } of readers) stop.abort();
    await Promise.all(readers.map(({ done }) => done));
    this.#ended.clear();
  }

  async #read(container: RunningContainer, signal: AbortSignal): Promise<void> {
    const gate = (store: () => Promise<boolean>) => this.#turnstile.run(store);
    try {
      await readContainer(container, this.#tools, { signal, gate });
      // Noted before it is asked for: a start in between takes it off again, or is seen.
      this.#ended.add(container.containerId);
      const state = await this.#tools.containers.state(container.containerId);
      if (state?.status === 'running') this.#ended.delete(container.containerId);
    } catch (error) {
      this.#ended.delete(container.containerId);
      if (!signal.aborted) this.#tools.logger.debug({ err: error }, 'reader of a container ended');
    }
  }
}
