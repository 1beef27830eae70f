import type Dockerode from 'dockerode';
import type { Clock } from '../clock/clock.ts';
import type { LineSink } from '../engine/ports.ts';
import { withDeadline } from './deadline.ts';
import { messageOf, statusOf } from './error-facts.ts';
import { readJsonLines } from './read-json-lines.ts';

const PULL_MILLISECONDS = 5 * 60_000;
/** A machine without a registry is not asked to pull with every build. */
const TRY_AGAIN_MILLISECONDS = 10 * 60_000;

/** The image that builds are made in: there, or pulled when it is first needed. */
export class BuildKitImage {
  readonly #docker: Dockerode;
  readonly #clock: Clock;
  readonly name: string;
  #lacking: { readonly why: string; readonly until: number } | null = null;

  constructor(options: { docker: Dockerode; clock: Clock; name: string }) {
    this.#docker = options.docker;
    this.#clock = options.clock;
    this.name = options.name;
  }

  /** Null when it is there; else why not. */
  async lacks({ onLine, stop }: { onLine: LineSink; stop: AbortSignal }): Promise<string | null> {
    if (await this.#isThere()) return null;
    if (this.#lacking && this.#clock.now() < this.#lacking.until) return this.#lacking.why;
    onLine({ text: `Pulling ${this.name}` });
    const problem = await this.#pull(stop);
    if (problem === null && (await this.#isThere())) return null;
    const why = `the image ${this.name} cannot be pulled: ${problem ?? 'it is not there afterwards'}`;
    this.#lacking = { why, until: this.#clock.now() + TRY_AGAIN_MILLISECONDS };
    return why;
  }

  async #isThere(): Promise<boolean> {
    try {
      await withDeadline(this.#docker.getImage(this.name).inspect());
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  async #pull(stop: AbortSignal): Promise<string | null> {
    const abortSignal = AbortSignal.any([stop, AbortSignal.timeout(PULL_MILLISECONDS)]);
    try {
      const progress = await this.#docker.pull(this.name, { abortSignal });
      for await (const message of readJsonLines(progress)) {
        if (typeof message === 'object' && message !== null && 'error' in message)
          return String(message.error);
      }
      return null;
    } catch (error) {
      stop.throwIfAborted();
      return messageOf(error);
    }
  }
}
