import type { LineSink } from '../engine/ports.ts';
import { decodeTrace, type TraceUpdate } from './buildkit-trace.ts';

const MAX_LINE_CHARACTERS = 64 * 1024;
/** The classic builder sends what a step writes to stderr in bright red. */
const STDERR_MARK = '\u001b[91m';
const STDERR_END = '\u001b[0m';
/** How the classic builder's own messages begin; what a step wrote before may lack its line end. */
const BUILDER_TEXT = /^(?: ---> |Removing intermediate container |Step \d+\/\d+ : )/;
/** Those that say by ids what the step's own line says in words. */
const BUILDER_IDS =
  /^(?: ---> (?:Using cache|Running in [0-9a-f]{12}|[0-9a-f]{12})|Removing intermediate container [0-9a-f]{12})$/;
/** A step that took less is not worth a line. */
const WORTH_TELLING_MS = 500;

/** How shells, libc, Node, Python, Go and Java say that no process or thread could be started. */
const FORK_FAILURE =
  /(?:can't|cannot|could not|unable to|failed to) (?:fork|start new thread|create (?:a |new |native |OS )*thread)|\bfork\b.*Resource temporarily unavailable|spawn \S{1,200} EAGAIN/i;

/** Steps of a classic build that are ours; no one reads them. */
export interface OwnSteps {
  /** The instruction we put into each stage. */
  readonly stageInstruction: string | null;
  readonly stages: number;
  /** How many stand after those of the Dockerfile. */
  readonly last: number;
}

/** Turns the daemon's messages about one build, of either builder, into lines, and remembers how it came out. */
export class BuildTranscript {
  /** The instruction that runs, or ran last. */
  step: string | null = null;
  imageId: string | null = null;
  /** The daemon's words when the build failed; `exitCode` when a step's process ended. */
  error: { readonly message: string; readonly exitCode: number | null } | null = null;

  /** The step that runs, or ran last, wrote that it could start no process or thread. */
  couldNotFork = false;

  readonly #onLine: LineSink;
  readonly #now: () => number;
  readonly #ownSteps: OwnSteps;
  #ownStepsBefore = 0;
  #inOwnSteps = false;
  readonly #partial = { stdout: '', stderr: '' };
  /** The step of a classic build that is told of and has not ended. */
  #open: { readonly place: string; readonly startedAt: number; isCached: boolean } | null = null;
  /** Steps of BuildKit whose beginning, and whose end, is told. */
  readonly #announced = new Set<string>();
  readonly #ended = new Set<string>();

  constructor(
    onLine: LineSink,
    ownSteps: OwnSteps = { stageInstruction: null, stages: 0, last: 0 },
    now: () => number = () => performance.now(),
  ) {
    this.#onLine = onLine;
    this.#ownSteps = ownSteps;
    this.#now = now;
  }

  take(message: unknown): void {
    if (!isRecord(message)) return;
    const { stream, status, aux, id, errorDetail } = message;
    if (typeof stream === 'string') this.#takeOutput(stream);
    else if (id === 'moby.buildkit.trace' && typeof aux === 'string') this.takeTrace(tryDecode(aux));
    else if (isRecord(aux) && typeof aux['ID'] === 'string') this.imageId = aux['ID'];
    else if (typeof message['error'] === 'string') this.takeError(message['error'], codeOf(errorDetail));
    else if (typeof status === 'string') this.#takeStatus(status, message);
  }

  /** `code`: of the step's process, where the message does not tell it. */
  takeError(message: string, code: number | null): void {
    const told = /(?:exit code: |non-zero code: )(\d+)/.exec(message)?.[1];
    this.close();
    this.error = { message: message.trim(), exitCode: code ?? (told === undefined ? null : Number(told)) };
    this.#onLine({ text: this.error.message, level: 'error' });
  }

  takeTrace({ steps, output }: TraceUpdate): void {
    for (const { digest, name, startedAt, completedAt, cached, error } of steps) {
      if (error !== '') this.step = withoutPlace(name);
      if (startedAt === null || name.startsWith('[internal]')) continue;
      if (!this.#announced.has(digest)) {
        this.#announced.add(digest);
        this.step = withoutPlace(name);
        this.#onLine({ text: cached ? `${name} (cached)` : name, level: 'deploy' });
      }
      if (completedAt === null || cached || error !== '' || this.#ended.has(digest)) continue;
      this.#ended.add(digest);
      this.#tellTime(shortName(name), completedAt - startedAt);
    }
    for (const { stream, text } of output) this.#write(text, stream);
  }

  /** No more comes: says what was left without a line end. */
  close(): void {
    this.#flush();
  }

  #flush(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#partial[stream] !== '') this.#say(this.#partial[stream], stream);
      this.#partial[stream] = '';
    }
  }

  #takeOutput(text: string): void {
    if (BUILDER_TEXT.test(text)) this.#flush();
    if (text.startsWith(STDERR_MARK))
      this.#write(text.replace(STDERR_MARK, '').replace(STDERR_END, ''), 'stderr');
    else this.#write(text, 'stdout');
  }

  #write(text: string, stream: 'stdout' | 'stderr'): void {
    const lines = (this.#partial[stream] + text).split('\n');
    this.#partial[stream] = lines.pop() ?? '';
    for (const line of lines) this.#say(line, stream);
    if (this.#partial[stream].length > MAX_LINE_CHARACTERS) {
      this.#say(this.#partial[stream], stream);
      this.#partial[stream] = '';
    }
  }

  #say(text: string, stream: 'stdout' | 'stderr'): void {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    const step = /^Step (\d+)\/(\d+) : (.*)$/.exec(line);
    if (step) {
      const [, number, total, instruction = ''] = step;
      const { stageInstruction, stages, last } = this.#ownSteps;
      const isOfStage = instruction === stageInstruction;
      this.#inOwnSteps = isOfStage || Number(number) > Number(total) - last;
      if (isOfStage) this.#ownStepsBefore += 1;
      this.#open = null;
      if (this.#inOwnSteps) return;
      this.step = instruction;
      this.couldNotFork = false;
      const place = `${Number(number) - this.#ownStepsBefore}/${Number(total) - stages - last}`;
      this.#open = { place, startedAt: this.#now(), isCached: false };
      this.#onLine({ text: `Step ${place} : ${instruction}`, level: 'deploy' });
    } else if (BUILDER_IDS.test(line)) {
      this.#noteProgress(line);
    } else if (line !== '' && !(this.#inOwnSteps && BUILDER_TEXT.test(line))) {
      this.couldNotFork ||= FORK_FAILURE.test(line);
      this.#onLine({ text: line, stream });
    }
  }

  /** The last that is told of a step is the layer that it made. */
  #noteProgress(line: string): void {
    if (this.#open === null) return;
    if (line === ' ---> Using cache') this.#open.isCached = true;
    if (!/^ ---> [0-9a-f]{12}$/.test(line)) return;
    const { place, startedAt, isCached } = this.#open;
    this.#open = null;
    if (isCached) this.#onLine({ text: `Step ${place} is from the cache` });
    else this.#tellTime(`Step ${place}`, this.#now() - startedAt);
  }

  #tellTime(step: string, milliseconds: number): void {
    if (milliseconds < WORTH_TELLING_MS) return;
    this.#onLine({ text: `${step} took ${(milliseconds / 1000).toFixed(1)} s` });
  }

  /** Pulling tells each layer's bytes many times a second: only the beginnings and ends are lines. */
  #takeStatus(status: string, { id, progressDetail }: Record<string, unknown>): void {
    if (progressDetail !== undefined && status !== 'Pull complete') return;
    this.#onLine({ text: typeof id === 'string' ? `${id}: ${status}` : status });
  }
}

/** `[stage-0 2/3] RUN make` → `RUN make`. */
function withoutPlace(name: string): string {
  return name.replace(/^\[(?!internal)[^\]]*\] /, '');
}

/** Of steps that run side by side, each tells of its end in a line of its own. */
function shortName(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}

function tryDecode(base64: string): TraceUpdate {
  try {
    return decodeTrace(base64);
  } catch {
    return { steps: [], output: [] };
  }
}

function codeOf(detail: unknown): number | null {
  return isRecord(detail) && typeof detail['code'] === 'number' ? detail['code'] : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
