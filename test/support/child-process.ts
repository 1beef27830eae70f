import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const KEPT_CHARACTERS = 8_000;

/** A real process of the product, so that SIGKILL is real. Its output goes to a file; the end of it is kept. */
export class ProductProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #tail = '';

  constructor(options: {
    name: string;
    command: string;
    args: readonly string[];
    environment: Readonly<Record<string, string>>;
    cwd: string;
    logFile: string;
  }) {
    this.name = options.name;
    this.#child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'exit');
    this.#exited.catch(() => undefined);
    const file = createWriteStream(options.logFile, { flags: 'a' });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        file.write(chunk);
        this.#tail = (this.#tail + chunk.toString()).slice(-KEPT_CHARACTERS);
      });
    }
    this.#child.once('close', () => file.end());
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} could not be started`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Null while it runs, and when a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** @throws when it ended by itself; one that a test has killed is no surprise. */
  expectNoCrash(): void {
    if (this.#child.exitCode === null || this.#child.exitCode === 0) return;
    throw new Error(`${this.name} ended with code ${this.#child.exitCode}\n${this.tail}`);
  }

  /** The last lines it wrote. */
  get tail(): string {
    return `--- last output of ${this.name} ---\n${this.#tail}`;
  }

  /** SIGKILL, and gone. */
  async kill9(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.isRunning) await this.#exited;
  }

  /** SIGTERM, and an orderly end. @throws when it does not end in time (it is killed then) or ends with an error. */
  async stop(timeoutMs = 30_000): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    await this.#exited;
    clearTimeout(timer);
    if (this.#child.exitCode !== 0) {
      const how = this.#child.signalCode ?? `code ${this.#child.exitCode}`;
      throw new Error(`${this.name} did not end in good order after SIGTERM: ${how}\n${this.tail}`);
    }
  }
}
