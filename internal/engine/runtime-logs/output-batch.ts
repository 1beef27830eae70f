import type { PrismaClient } from '../../db/database.ts';
import type { NewLine } from '../../logs/append-lines.ts';
import { type LogCursor, storeAndMove } from '../../logs/log-cursor.ts';
import { runtimeLevel } from '../../logs/runtime-level.ts';
import { sanitiseLine } from '../../logs/sanitise-line.ts';
import type { SecretMask } from '../../logs/secret-mask.ts';
import { splitLine } from '../../logs/split-line.ts';
import type { OutputPiece, RunningContainer } from '../ports.ts';
import type { JumpWatch } from './jump-watch.ts';
import { LineAssembler, type OutputLine } from './line-assembler.ts';
import type { LineRate } from './line-rate.ts';
import { OutputProgress } from './output-progress.ts';

const LINE_BYTES = 16 * 1024;
const BATCH_LINES = 2_000;
const BATCH_BYTES = 512 * 1024;
/** How long a line waits for company. */
const COMPANY_MS = 50;
/** … for its own end, and a count of dropped lines for its last one. */
const END_MS = 1_000;

const GAP = 'Lines may be missing here: Docker had dropped its oldest ones before they were read.';

/** What was read of a container and is not stored yet, from one opening of its cursor on. */
export class OutputBatch {
  readonly #container: RunningContainer;
  readonly #mask: SecretMask;
  readonly #progress: OutputProgress;
  readonly #assembler = new LineAssembler();
  readonly #rate: LineRate;
  readonly #jumps: JumpWatch;
  #cursor: LogCursor;
  #lines: NewLine[] = [];
  #bytes = 0;
  /** When the first piece came that is not stored; null: all is. */
  #since: number | null = null;
  #isFirst = true;
  #hasStored = false;

  constructor(
    container: RunningContainer,
    cursor: LogCursor,
    of: { mask: SecretMask; rate: LineRate; jumps: JumpWatch },
  ) {
    this.#container = container;
    this.#cursor = cursor;
    this.#mask = of.mask;
    this.#rate = of.rate;
    this.#jumps = of.jumps;
    this.#jumps.begin();
    this.#progress = new OutputProgress(cursor);
  }

  /** False: something may be missing before the piece at which it stopped; store, and read anew. */
  push(pieces: readonly OutputPiece[]): boolean {
    const now = Date.now();
    for (const piece of pieces) {
      if (this.#jumps.doubts(piece.ns, now)) return false;
      if (!this.#progress.take(piece)) continue;
      this.#since ??= performance.now();
      const line = this.#assembler.push(piece);
      if (this.#isFirst && this.#progress.hasGap) this.#add(marker(GAP));
      this.#isFirst = false;
      if (line) this.#accept(line);
    }
    return true;
  }

  get hasStored(): boolean {
    return this.#hasStored;
  }

  /** Milliseconds until what is here should be stored; null: nothing is. */
  get dueInMs(): number | null {
    if (this.#since === null) return null;
    if (this.#lines.length >= BATCH_LINES || this.#bytes >= BATCH_BYTES) return 0;
    const patience = this.#assembler.hasOpenLine || this.#rate.isOver ? END_MS : COMPANY_MS;
    return Math.max(0, this.#since + patience - performance.now());
  }

  /** False: another reader has moved the cursor meanwhile; this batch is then of no use. */
  async store(prisma: PrismaClient): Promise<boolean> {
    if (this.#since === null) return true;
    for (const line of this.#assembler.flush()) this.#accept(line);
    this.#markDropped();
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    this.#since = null;
    const { deploymentId, replica } = this.#container;
    const to = { place: this.#progress.place, lines, origin: { deploymentId, replica } };
    if (!(await storeAndMove(prisma, this.#cursor, to))) return false;
    this.#cursor = { ...this.#cursor, version: this.#cursor.version + 1 };
    this.#hasStored = true;
    return true;
  }

  #accept({ stream, at, text }: OutputLine): void {
    if (!this.#rate.take(at)) return;
    this.#markDropped();
    const safe = this.#mask.apply(sanitiseLine(text));
    const level = runtimeLevel(safe, stream);
    for (const piece of splitLine(safe, LINE_BYTES)) {
      this.#add({ source: 'runtime', level, stream, text: piece, at });
    }
  }

  #markDropped(): void {
    const dropped = this.#rate.takeDropped();
    if (dropped === 0) return;
    this.#add(
      marker(
        `${dropped.toLocaleString('en')} lines are missing here: the app writes faster than logs are kept.`,
      ),
    );
  }

  #add(line: NewLine): void {
    this.#lines.push(line);
    this.#bytes += line.text.length;
  }
}

function marker(text: string): NewLine {
  return { source: 'runtime', level: 'warning', stream: null, text };
}
