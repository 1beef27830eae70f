import type { LogCursor } from '../../logs/log-cursor.ts';
import type { SecretMask } from '../../logs/secret-mask.ts';
import type { OutputPart, RunningContainer } from '../ports.ts';
import type { LineRate } from './line-rate.ts';
import { OutputBatch } from './output-batch.ts';
import { OutputBell } from './output-bell.ts';
import type { ReadTools, StoreGate } from './read-container.ts';

/** How long a line waits for company. */
const COMPANY_MS = 50;
/** How soon lines are read for which no bell rang. */
const LOOK_AGAIN_MS = 15_000;
/** So many of the last pieces are asked for first, … */
const FEW = 32;
/** … so many times more when they do not reach back to what was read before, … */
const MORE = 16;
/** … and all instead of more than these. */
const MANY = 10_000;

/** `overtaken`: another reader has moved the cursor; what was read here is forgotten. */
export type Outcome = 'ended' | 'overtaken';

interface ReaderOptions {
  readonly mask: SecretMask;
  readonly rate: LineRate;
  readonly gate: StoreGate;
  readonly signal: AbortSignal;
}

/**
 * Reads one container from its cursor on: sleeps until it writes, then reads what Docker has. What follows a log is only
 * taken for a bell. Engines let a follower that is outrun by its writer pass over whole files while the log rotates
 * (20.10), and nothing in the lines gives that away; a reading that does not follow is whole.
 */
export class OutputReader {
  readonly #container: RunningContainer;
  readonly #tools: ReadTools;
  readonly #options: ReaderOptions;
  readonly #batch: OutputBatch;
  /** How many pieces the next reading asks for. */
  #last = FEW;

  constructor(container: RunningContainer, tools: ReadTools, cursor: LogCursor, options: ReaderOptions) {
    this.#container = container;
    this.#tools = tools;
    this.#options = options;
    this.#batch = new OutputBatch(container, cursor, options);
  }

  async run(): Promise<Outcome> {
    const { clock, runtimeLogs } = this.#tools;
    const { signal } = this.#options;
    const bell = new OutputBell(runtimeLogs, this.#container.containerId, { clock, signal });
    for (;;) {
      await bell.wait(this.#batch.dueInMs ?? LOOK_AGAIN_MS);
      if (!bell.hasEnded) await clock.sleep(COMPANY_MS, signal);
      // Asked before: all that it wrote until then is read now.
      const isLast = bell.hasEnded;
      if (!(await this.#readNew())) return 'overtaken';
      if ((isLast || this.#batch.dueInMs === 0) && !(await this.#store())) return 'overtaken';
      if (isLast) return 'ended';
    }
  }

  async #readNew(): Promise<boolean> {
    let outcome: 'whole' | 'too short' | 'overtaken';
    do {
      const fromNs = this.#batch.startNs;
      const isAll = fromNs === null || this.#last > MANY;
      outcome = await this.#read(isAll ? { fromNs: fromNs ?? 0n } : { last: this.#last });
      this.#last *= MORE;
    } while (outcome === 'too short');
    this.#last = Math.min(MANY, Math.max(FEW, 2 * this.#batch.taken));
    return outcome === 'whole';
  }

  async #read(part: OutputPart): Promise<'whole' | 'too short' | 'overtaken'> {
    const { containerId } = this.#container;
    this.#batch.beginReading('last' in part ? 'end' : 'all');
    for await (const pieces of this.#tools.runtimeLogs.read(containerId, part, this.#options.signal)) {
      if (!this.#batch.push(pieces)) return 'too short';
      if (this.#batch.isFull && !(await this.#store())) return 'overtaken';
    }
    return 'whole';
  }

  #store(): Promise<boolean> {
    return this.#options.gate(() => this.#batch.store(this.#tools.prisma));
  }
}
