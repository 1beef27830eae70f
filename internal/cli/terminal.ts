import { createColors } from 'picocolors';
import type { CliError } from './cli-error.ts';
import { LiveLine } from './live-line.ts';
import { cutToWidth } from './text-width.ts';

export type Colours = ReturnType<typeof createColors>;

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * The two voices of a command. Standard output has its result: lines for a person, or JSON and nothing else. Standard
 * error has what is told meanwhile: progress, questions, problems.
 */
export class Terminal {
  /** Set by `--json`. */
  isJson = false;
  readonly outColours: Colours;
  readonly errorColours: Colours;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #liveLine: LiveLine;

  constructor(options: { stdout: OutputStream; stderr: OutputStream; mayColour: boolean }) {
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.outColours = createColors(options.mayColour && options.stdout.isTTY === true);
    this.errorColours = createColors(options.mayColour && options.stderr.isTTY === true);
    this.#liveLine = new LiveLine({
      isShown: options.stderr.isTTY === true && options.mayColour,
      write: (text) => options.stderr.write(text),
      fit: (text) => cutToWidth(text, (options.stderr.columns ?? 80) - 1),
    });
  }

  /** Columns of the terminal the result goes to; null for a pipe or a file. */
  get width(): number | null {
    return this.#stdout.isTTY ? (this.#stdout.columns ?? 80) : null;
  }

  get isInteractive(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** The result of a command: the document for `--json`, else the lines. */
  result(document: unknown, lines: readonly string[]): void {
    if (this.isJson) this.#print(JSON.stringify(document, null, this.isInteractive ? 2 : 0));
    else for (const line of lines) this.#print(line);
  }

  /** One item of a result that comes bit by bit: a line of JSON, or a line. */
  item(document: unknown, line: string): void {
    this.#print(this.isJson ? JSON.stringify(document) : line);
  }

  /** Something worth knowing that is not the result. */
  message(text: string): void {
    this.#liveLine.above(() => this.#stderr.write(`${text}\n`));
  }

  /** What is going on, with the time it takes, shown at a terminal only; null: nothing is. */
  showProgress(text: string | null): void {
    this.#liveLine.show(text);
  }

  /** Why the command ends without a result. */
  problem(error: CliError): void {
    const { red } = this.errorColours;
    const fields = error.fields.map(({ field, message }) => `  ${field}: ${message}`);
    // One field alone is what the sentence is about.
    const details = fields.length > 1 ? fields : [];
    this.message([`${red('berth:')} ${error.message}`, ...details].join('\n'));
    if (!this.isJson) return;
    const { code, message } = error;
    const errors = error.fields.length > 0 ? { errors: error.fields } : {};
    this.#print(JSON.stringify({ error: { code, message, ...errors } }));
  }

  #print(line: string): void {
    this.#liveLine.above(() => this.#stdout.write(`${line}\n`));
  }
}
