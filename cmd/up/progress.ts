import { createInterface } from 'node:readline/promises';

/** What `bin/up` tells the person at the terminal: one line per step, with how long it took. */
export class Progress {
  async step<T>(name: string, work: () => Promise<T>, detail: (result: T) => string): Promise<T> {
    const startedAt = performance.now();
    if (process.stdout.isTTY) process.stdout.write(`… ${name}`);
    try {
      const result = await work();
      this.done(name, detail(result), performance.now() - startedAt);
      return result;
    } catch (error) {
      if (process.stdout.isTTY) process.stdout.write('\n');
      throw error;
    }
  }

  done(name: string, detail: string, milliseconds: number): void {
    const seconds = (milliseconds / 1000).toFixed(1);
    this.#line(`✓ ${name}${detail === '' ? '' : `: ${detail}`} (${seconds} s)`);
  }

  /** Something worth knowing in the midst of a step. */
  note(text: string): void {
    this.#line(`  ${text}`);
  }

  print(text: string): void {
    this.#line(text);
  }

  problem(message: string, details: readonly string[] = []): void {
    const lines = [message, ...details.map((line) => `  ${line}`)];
    process.stderr.write(`${lines.join('\n')}\n`);
  }

  /** At a terminal asks; elsewhere says what it does and goes on. */
  async confirm(question: string): Promise<boolean> {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      this.note(`${question} Yes (no terminal to ask at).`);
      return true;
    }
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
      const answer = await terminal.question(`\n${question} [Y/n] `);
      return !/^\s*n/i.test(answer);
    } finally {
      terminal.close();
    }
  }

  #line(text: string): void {
    // At a terminal the "… name" of the running step is written over.
    process.stdout.write(process.stdout.isTTY ? `\r\u001b[2K${text}\n` : `${text}\n`);
  }
}
