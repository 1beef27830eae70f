import { CannotStart } from '../../internal/host/cannot-start.ts';
import type { SupervisedProcess } from '../../internal/host/supervised-process.ts';
import { awaitAnswer } from './await-answer.ts';
import type { Part } from './part.ts';

/** A program that ended this often before its first answer has a reason, and its log names it. */
const HOPELESS_EXITS = 3;

/** API, worker, or Traefik as a process. */
export class ProgramPart implements Part {
  readonly name: string;
  readonly #process: SupervisedProcess;
  readonly #isUp: () => Promise<boolean>;
  readonly #detail: string;

  constructor(
    process: SupervisedProcess,
    how: { name: string; detail: string; isUp: () => Promise<boolean> },
  ) {
    this.name = how.name;
    this.#process = process;
    this.#isUp = how.isUp;
    this.#detail = how.detail;
  }

  async start(): Promise<string> {
    const { log } = this.#process;
    this.#process.start();
    await awaitAnswer(this.#isUp, (isOver) =>
      isOver || this.#process.exits >= HOPELESS_EXITS
        ? new CannotStart(`${this.name} did not start (${log.path}):`, log.tail(20))
        : null,
    );
    return this.#detail;
  }

  async tend(): Promise<void> {
    this.#process.log.rotate();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
