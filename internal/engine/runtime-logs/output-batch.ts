import type { PrismaClient } from '../../db/database.ts';
import type { NewLine } from '../../logs/append-lines.ts';
import { type LogCursor, storeAndMove } from '../../logs/log-cursor.ts';
import { runtimeLevel } from '../../logs/runtime-level.ts';
import { sanitiseLine } from '../../logs/sanitise-line.ts';
import type { SecretMask } from '../../logs/secret-mask.ts';
import { splitLine } from '../../logs/split-line.ts';
import type { OutputPiece, RunningContainer } from '../ports.ts';
import { LineAssembler, type OutputLine } from './line-assembler.ts';
import type { LineRate } from './line-rate.ts';
import { LostBeginning } from './lost-beginning.ts';
import { OutputProgress } from './output-progress.ts';

const LINE_BYTES = 16 * 1024;
const BATCH_LINES = 2_000;
const BATCH_BYTES = 512 * 1024;
/** How long a line waits for its own end, and a count of dropped lines for its last one. */
const END_MS = 1_000;

const GAP = 'Lines may be missing here: Docker had dropped its oldest ones before they were read.';
const NO_BEGINNING =
  'The first lines may be missing: there were so many that Docker had dropped its oldest ones before they were read.';

/** What was read of a container and is not stored yet, from one opening of its cursor on, over many readings. */
export class OutputBatch {
  readonly #container: RunningContainer;
  readonly #mask: SecretMask;
  readonly #progress: OutputProgress;
  readonly #assembler = new LineAssembler();
  readonly #rate: LineRate;
  #cursor: LogCursor;
  #lines: NewLine[] = [];
  #bytes = 0;
  /** When the first piece came that is not stored; null: all is. */
  #since: number | null = null;
  #part: 'all' | 'end' = 'all';
  #beginning: LostBeginning | null = null;
  #taken = 0;

  constructor(container: RunningContainer, cursor: LogCursor, of: { mask: SecretMask; rate: LineRate }) {
    this.#container = container;
    this.#cursor = cursor;
    this.#mask = of.mask;
    this.#rate = of.rate;
    this.#progress = new OutputProgress(cursor);
  }

  /** @param part is all that Docker has, or its end, which perhaps does not reach back to what was taken before */
  beginReading(part: 'all' | 'end'): void {
    this.#part = part;
    this.#beginning = this.#progress.isAtStart ? new LostBeginning() : null;
    this.#progress.beginReading();
    this.#taken = 0;
  }

  /** Takes what is new of these. False: this end of the output does not reach back far enough. */
  push(pieces: readonly OutputPiece[]): boolean {
    for (const piece of pieces) {
      const isBehindGap = this.#progress.isBehindGap(piece);
      if (this.#part === 'end' && (isBehindGap || this.#progress.isInsideLine(piece))) return false;
      if (isBehindGap) this.#markGap();
      if (this.#beginning?.isFoundAt(piece)) this.#add(marker(NO_BEGINNING));
      if (!this.#progress.take(piece)) continue;
      this.#taken += 1;
      this.#since ??= performance.now();
      const line = this.#assembler.push(piece);
      if (line) this.#accept(line);
    }
    return true;
  }

  /** Where to read from; null: from the beginning. */
  get startNs(): bigint | null {
    return this.#progress.isAtStart ? null : this.#progress.startNs;
  }

  /** How many pieces of this reading were new. */
  get taken(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#lines.length >= BATCH_LINES || this.#bytes >= BATCH_BYTES;
  }

  /** Milliseconds until what is here should be stored; null: nothing is. */
  get dueInMs(): number | null {
    if (this.#since === null) return null;
    const patience = this.#assembler.hasOpenLine || this.#rate.isOver ? END_MS : 0;
    return Math.max(0, this.#since + patience - performance.now());
  }

  /** False: another reader has moved the cursor meanwhile; this batch is then of no use. */
  async store(prisma: PrismaClient): Promise<boolean> {
    if (this.#since === null) return true;
    this.#closeLines();
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    this.#since = null;
    const { deploymentId, replica } = this.#container;
    const to = { place: this.#progress.place, lines, origin: { deploymentId, replica } };
    if (!(await storeAndMove(prisma, this.#cursor, to))) return false;
    this.#cursor = { ...this.#cursor, version: this.#cursor.version + 1 };
    return true;
  }

  /** One line for both when lines were dropped before it, too. */
  #markGap(): void {
    for (const line of this.#assembler.flush()) this.#accept(line);
    const dropped = this.#rate.takeDropped();
    this.#add(marker(dropped === 0 ? GAP : `At least ${tooFast(dropped)}`));
  }

  #closeLines(): void {
    for (const line of this.#assembler.flush()) this.#accept(line);
    this.#markDropped();
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
    if (dropped > 0) this.#add(marker(tooFast(dropped)));
  }

  #add(line: NewLine): void {
    this.#lines.push(line);
    this.#bytes += line.text.length;
  }
}

function marker(text: string): NewLine {
  return { source: 'runtime', level: 'warning', stream: null, text };
}

function tooFast(dropped: number): string {
  return `${dropped.toLocaleString('en')} lines are missing here: the app writes faster than logs are kept.`;
}
