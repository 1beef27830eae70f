import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { waitUntil } from './wait-until.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');

export interface BerthOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** What is piped in; nothing, when it is left out. */
  readonly input?: string;
}

export interface BerthResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `berth` as a process of its own, with pipes instead of a terminal. */
export class BerthCommand {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<unknown>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], options: BerthOptions = {}) {
    const entry = resolve(CHECKOUT, 'cmd/cli/main.ts');
    const tsx = import.meta.resolve('tsx');
    this.#child = spawn(process.execPath, ['--import', tsx, entry, ...args], {
      cwd: options.folder ?? CHECKOUT,
      env: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: '/nonexistent', ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'close');
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#child.stdin.end(options.input ?? '');
  }

  signal(name: 'SIGINT' | 'SIGTERM'): void {
    this.#child.kill(name);
  }

  /** Ends one that a failed test has left, which would keep the run up as long as its own patience lasts. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async ended(): Promise<BerthResult> {
    await this.#exited;
    return { exitCode: this.#child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  /** Until it has written that on standard error. @throws when it ends without */
  told(pattern: RegExp): Promise<unknown> {
    return this.#wrote(pattern, () => this.stderr);
  }

  /** Until it has written that on standard output. @throws when it ends without */
  printed(pattern: RegExp): Promise<unknown> {
    return this.#wrote(pattern, () => this.stdout);
  }

  #wrote(pattern: RegExp, output: () => string): Promise<unknown> {
    return waitUntil(
      `berth to write ${pattern}`,
      () => {
        if (pattern.test(output())) return true;
        if (this.#child.exitCode === null) return false;
        throw new Error(`berth ended without writing ${pattern}:\n${this.stdout}\n${this.stderr}`);
      },
      { intervalMs: 10, explain: () => `${this.stdout}\n${this.stderr}` },
    );
  }
}

export function runBerth(args: readonly string[], options?: BerthOptions): Promise<BerthResult> {
  return new BerthCommand(args, options).ended();
}
