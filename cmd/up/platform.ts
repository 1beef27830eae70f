import type { StartSettings } from '../../internal/config/start-settings.ts';
import { askHttp } from '../../internal/host/ask-http.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { loadOrMakeSecrets } from '../../internal/host/data-dir.ts';
import { LogFile } from '../../internal/host/log-file.ts';
import { runProgram } from '../../internal/host/run-program.ts';
import { type ProcessEvents, SupervisedProcess } from '../../internal/host/supervised-process.ts';
import { apiAddress, apiUrl } from './addresses.ts';
import { childEnvironment } from './child-environment.ts';
import type { Part } from './part.ts';
import { PostgresPart } from './postgres-part.ts';
import { ProgramPart } from './program-part.ts';
import { MEMORY_ENVIRONMENT, type ProgramMode, programArguments } from './programs.ts';
import type { Reporter } from './report.ts';
import { RunRecord } from './run-record.ts';
import { hasSample, SamplePart } from './sample-part.ts';
import { traefikPart } from './traefik-part.ts';

export interface PlatformOptions {
  readonly settings: StartSettings;
  readonly httpPort: number;
  readonly checkout: string;
  readonly mode: ProgramMode;
  readonly report: Reporter;
}

type Environment = Readonly<Record<string, string | undefined>>;

const TEND_MS = 5_000;
const GRACE_MS = { worker: 20_000, api: 10_000 };

/** Everything that runs for one DATA_DIR: started in order, looked after, ended in reverse. */
export class Platform {
  readonly #options: PlatformOptions;
  readonly #settings: StartSettings;
  readonly #record: RunRecord;
  readonly #parts: Part[] = [];
  #tending: NodeJS.Timeout | null = null;
  #isTending = false;
  #stopped: Promise<void> | null = null;

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#record = new RunRecord(options.settings, options.httpPort);
  }

  /** Resolves when all of it answers. @throws CannotStart; what was started until then is left to `stop()` */
  async start(): Promise<void> {
    this.#record.set({ ready: false });
    const environment = await this.#startSources();
    await this.#step('migrations', () => this.#migrate(environment));
    await this.#start(this.#api(environment));
    await this.#start(traefikPart(this.#options, this.#tell()));
    await this.#start(this.#worker(environment));
    this.#tending = setInterval(() => void this.#tend(), TEND_MS);
    this.#record.set({ ready: true });
  }

  /** Ends all of it in reverse order; apps run on. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** What API and worker take from: database and sample. @returns their settings */
  async #startSources(): Promise<Environment> {
    const { dataDir, databaseUrl, nodeImage, sampleGitPort } = this.#settings;
    const postgres =
      databaseUrl === null
        ? await this.#start(new PostgresPart(dataDir, this.#record, this.#options.report))
        : null;
    const sample = hasSample(dataDir)
      ? await this.#start(new SamplePart({ dataDir, port: sampleGitPort }, this.#record))
      : null;
    return childEnvironment(this.#settings, {
      secrets: loadOrMakeSecrets(dataDir),
      databaseUrl: databaseUrl ?? (await postgres?.url()) ?? '',
      httpPort: this.#options.httpPort,
      nodeImage,
      sampleGitHost: sample?.gitHost() ?? null,
    });
  }

  async #migrate(environment: Environment): Promise<string> {
    const log = new LogFile(this.#settings.dataDir, 'migrate');
    const { checkout, mode } = this.#options;
    const code = await runProgram(
      [process.execPath, ...programArguments(checkout, 'migrate', mode)],
      log,
      environment,
    );
    if (code !== 0) throw new CannotStart(`The migrations could not be applied (${log.path}):`, log.tail(20));
    return '';
  }

  #api(environment: Environment): Part {
    const question = { address: apiAddress(this.#settings), port: this.#settings.apiPort, path: '/health' };
    const isUp = async () => (await askHttp(question))?.status === 200;
    const detail = apiUrl(this.#settings);
    return new ProgramPart(this.#program('api', environment), { name: 'API', detail, isUp });
  }

  #worker(environment: Environment): Part {
    const worker = this.#program('worker', environment);
    // It serves no port; unusable settings end it within a second.
    const isUp = async () => worker.upMs > 1_000;
    return new ProgramPart(worker, { name: 'worker', detail: '', isUp });
  }

  #program(name: 'api' | 'worker', environment: Environment): SupervisedProcess {
    const { checkout, mode } = this.#options;
    const plan = {
      name,
      command: process.execPath,
      args: programArguments(checkout, name, mode),
      directory: checkout,
      environment: { ...MEMORY_ENVIRONMENT, ...environment },
      graceMs: GRACE_MS[name],
      atTerminal: mode === 'watched',
    };
    return new SupervisedProcess(plan, new LogFile(this.#settings.dataDir, name), this.#tell().events);
  }

  async #start<T extends Part>(part: T): Promise<T> {
    await this.#step(part.name, () => {
      this.#parts.push(part);
      return part.start();
    });
    return part;
  }

  async #step(name: string, work: () => Promise<string>): Promise<void> {
    if (this.#stopped !== null) throw new CannotStart('It was told to end before all was started.');
    const startedAt = performance.now();
    const detail = await work();
    this.#options.report({ kind: 'step', name, detail, milliseconds: performance.now() - startedAt });
  }

  async #tend(): Promise<void> {
    if (this.#isTending) return;
    this.#isTending = true;
    for (const part of this.#parts) {
      if (this.#stopped !== null) break;
      await part.tend().catch((error: unknown) => {
        this.#options.report({ kind: 'event', text: `${part.name}: ${String(error)}` });
      });
    }
    this.#isTending = false;
  }

  async #stop(): Promise<void> {
    if (this.#tending !== null) clearInterval(this.#tending);
    for (const part of this.#parts.toReversed()) await part.stop();
    this.#record.remove();
  }

  #tell(): { record: RunRecord; report: Reporter; events: ProcessEvents } {
    const { report } = this.#options;
    const events: ProcessEvents = {
      onIdentity: (name, identity) => this.#record.setProcess(name, identity),
      onExit: (name, how, restartInMs) =>
        report({ kind: 'event', text: `${name} ${how}; starting it again in ${restartInMs / 1000} s` }),
    };
    return { record: this.#record, report, events };
  }
}
