import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { nextBackOff } from './back-off.ts';
import type { LogFile } from './log-file.ts';
import { endProcess, identifyProcess, type ProcessIdentity, trySignal } from './process-identity.ts';

export interface ProcessPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How long SIGTERM may take before SIGKILL. */
  readonly graceMs: number;
  /** Its words go to our terminal instead of its log. */
  readonly atTerminal?: boolean;
}

export interface ProcessEvents {
  /** Null: it is not running now. */
  onIdentity(name: string, identity: ProcessIdentity | null): void;
  onExit(name: string, how: string, restartInMs: number): void;
}

/** One child that is started again, with back-off, whenever it ends without having been asked to. */
export class SupervisedProcess {
  readonly #plan: ProcessPlan;
  readonly #log: LogFile;
  readonly #events: ProcessEvents;
  #identity: ProcessIdentity | null = null;
  #backOffMs: number | null = null;
  #startedAt = 0;
  #restart: NodeJS.Timeout | null = null;
  #stopping = false;
  /** How often it ended by itself, for whoever waits for its first answer. */
  exits = 0;

  constructor(plan: ProcessPlan, log: LogFile, events: ProcessEvents) {
    this.#plan = plan;
    this.#log = log;
    this.#events = events;
  }

  get name(): string {
    return this.#plan.name;
  }

  get isRunning(): boolean {
    return this.#identity !== null;
  }

  /** Since its latest start; 0 while it is not running. */
  get upMs(): number {
    return this.#identity === null ? 0 : performance.now() - this.#startedAt;
  }

  get log(): LogFile {
    return this.#log;
  }

  start(): void {
    this.#restart = null;
    this.#startedAt = performance.now();
    const log = this.#plan.atTerminal ? null : this.#log.open();
    const output = log ?? 'inherit';
    const child = spawn(this.#plan.command, this.#plan.args, {
      cwd: this.#plan.directory,
      env: { ...this.#plan.environment },
      stdio: ['ignore', output, output],
      // A session of its own: Ctrl-C at the terminal reaches us alone, and we end the children in order.
      detached: true,
    });
    if (log !== null) closeSync(log);
    child.once('error', (error) => this.#ended(`could not be started: ${error.message}`, null));
    child.once('exit', (code, signal) =>
      this.#ended(signal === null ? `ended with code ${code}` : `was ended by ${signal}`, child.pid ?? null),
    );
    this.#identity = child.pid === undefined ? null : identifyProcess(child.pid);
    this.#events.onIdentity(this.name, this.#identity);
  }

  /** Ends it for good; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    if (this.#identity !== null) await endProcess(this.#identity, this.#plan.graceMs);
  }

  #ended(how: string, pid: number | null): void {
    // What it started itself (a git that is cloning) must not work on beside its successor.
    if (pid !== null) trySignal(-pid, 'SIGKILL');
    this.#identity = null;
    this.#events.onIdentity(this.name, null);
    if (this.#stopping) return;
    this.exits += 1;
    this.#backOffMs = nextBackOff(this.#backOffMs, performance.now() - this.#startedAt);
    this.#events.onExit(this.name, how, this.#backOffMs);
    this.#restart = setTimeout(() => this.start(), this.#backOffMs);
  }
}
