import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StartSettings } from '../../internal/config/start-settings.ts';
import type { EmbeddedPostgres } from '../../internal/db/embedded-postgres.ts';
import { askHttp } from '../../internal/host/ask-http.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { loadOrMakeSecrets } from '../../internal/host/data-dir.ts';
import { DockerRefused, DockerSocket } from '../../internal/host/docker-socket.ts';
import { LogFile } from '../../internal/host/log-file.ts';
import { identifyProcess, type ProcessIdentity } from '../../internal/host/process-identity.ts';
import { runProgram } from '../../internal/host/run-program.ts';
import { removeRunState, writeRunState } from '../../internal/host/run-state.ts';
import { SupervisedProcess } from '../../internal/host/supervised-process.ts';
import { TRAEFIK_ENVIRONMENT, writeTraefikFiles } from '../../internal/host/traefik.ts';
import { removeContainer, TraefikContainer } from '../../internal/host/traefik-container.ts';
import { childEnvironment } from './child-environment.ts';
import { MEMORY_ENVIRONMENT, type ProgramMode, programArguments } from './programs.ts';
import type { Reporter } from './report.ts';
import { type ServedSample, serveSample } from './serve-sample.ts';
import { isPostgresRunning, startPostgres } from './start-postgres.ts';

export interface PlatformOptions {
  readonly settings: StartSettings;
  readonly httpPort: number;
  readonly checkout: string;
  readonly mode: ProgramMode;
  readonly report: Reporter;
}

const ANSWER_LIMIT_MS = 60_000;
const HOUSEKEEPING_MS = 5_000;
/** A program that ended this often before its first answer has a reason, and its log names it. */
const HOPELESS_EXITS = 3;
const GRACE_MS = { worker: 20_000, traefik: 12_000, api: 10_000 };

/** Everything that runs for one DATA_DIR, started in order, watched, and ended in reverse. */
export class Platform {
  readonly #options: PlatformOptions;
  readonly #settings: StartSettings;
  readonly #docker: DockerSocket;
  readonly #processes: SupervisedProcess[] = [];
  readonly #identities = new Map<string, ProcessIdentity>();
  #postgres: EmbeddedPostgres | null = null;
  #traefikContainer: TraefikContainer | null = null;
  #traefikContainerId: string | null = null;
  #sample: ServedSample | null = null;
  #housekeeping: NodeJS.Timeout | null = null;
  #ready = false;
  #stopped: Promise<void> | null = null;

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#docker = new DockerSocket(options.settings.dockerHost);
  }

  /** Resolves when all of it answers. @throws CannotStart; what was started until then is left to `stop()` */
  async start(): Promise<void> {
    this.#save();
    const databaseUrl = await this.#startDatabase();
    this.#sample = await serveSample(this.#settings);
    const environment = childEnvironment(this.#settings, {
      secrets: loadOrMakeSecrets(this.#settings.dataDir),
      databaseUrl,
      httpPort: this.#options.httpPort,
      nodeImage: this.#settings.nodeImage,
      sampleGitHost: this.#sample?.gitHost ?? null,
    });
    await this.#step('migrations', () => this.#migrate(environment));
    await this.#step('API', () => this.#startApi(environment));
    await this.#step('Traefik', () => this.#startTraefik());
    await this.#step('worker', () => this.#startWorker(environment));
    this.#housekeeping = setInterval(() => void this.#keepHouse(), HOUSEKEEPING_MS);
    this.#ready = true;
    this.#save();
  }

  /** Ends all of it in reverse order; apps run on. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #startDatabase(): Promise<string> {
    if (this.#settings.databaseUrl !== null) return this.#settings.databaseUrl;
    const postgres = await this.#step('Postgres', async () => {
      this.#postgres = await startPostgres(this.#settings.dataDir);
      this.#save();
      return this.#postgres;
    });
    return postgres.url.reveal();
  }

  async #migrate(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
    const log = this.#log('migrate');
    const { checkout, mode } = this.#options;
    const code = await runProgram(
      [process.execPath, ...programArguments(checkout, 'migrate', mode)],
      log,
      environment,
    );
    if (code !== 0) throw new CannotStart(`The migrations could not be applied (${log.path}):`, log.tail(20));
  }

  async #startApi(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
    const api = this.#run('api', environment);
    const address = reachableAddress(this.#settings.apiAddress);
    const question = { address, port: this.#settings.apiPort, path: '/health' };
    await untilUp(api, async () => (await askHttp(question))?.status === 200);
    return apiUrl(this.#settings);
  }

  async #startTraefik(): Promise<string> {
    const { settings, httpPort, checkout } = this.#options;
    // The API has made the instance at its first start and written it down.
    const instance = readFileSync(join(settings.dataDir, 'instance'), 'utf8').trim();
    const directory = join(settings.dataDir, 'traefik');
    const apiPort = Number(new URL(settings.traefikApiUrl).port);
    const configFile = writeTraefikFiles(checkout, directory, {
      instance,
      httpPort,
      apiPort,
      dockerHost: settings.dockerHost,
      platformHost: platformHost(settings),
      apiAddress: hostAndPort(reachableAddress(settings.apiAddress), settings.apiPort),
      fallbackPort: settings.fallbackPort,
    });
    const isUp = async () =>
      (await askHttp({ address: '127.0.0.1', port: apiPort, path: '/api/version' }))?.status === 200;
    if (settings.traefikBinary === null) {
      const image = settings.traefikImage;
      this.#traefikContainer = new TraefikContainer(this.#docker, { image, instance, directory, configFile });
      await this.#startTraefikContainer();
      await untilContainerUp(isUp);
      return `${image}, port ${httpPort}`;
    }
    const process = new SupervisedProcess(
      {
        name: 'traefik',
        command: settings.traefikBinary,
        args: [`--configFile=${configFile}`],
        directory,
        // Traefik needs nothing of our environment, and reads TRAEFIK_* as its own configuration.
        environment: { ...TRAEFIK_ENVIRONMENT, PATH: settings.environment['PATH'] },
        graceMs: GRACE_MS.traefik,
      },
      this.#log('traefik'),
      this.#processEvents(),
    );
    this.#start(process);
    await untilUp(process, isUp);
    return `port ${httpPort}`;
  }

  async #startTraefikContainer(): Promise<void> {
    this.#traefikContainerId = (await this.#traefikContainer?.start()) ?? null;
    this.#save();
  }

  async #startWorker(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
    const worker = this.#run('worker', environment);
    // It serves no port; unusable settings end it within a second.
    const startedAt = performance.now();
    await untilUp(worker, async () => worker.isRunning && performance.now() - startedAt > 1_000);
  }

  #run(name: 'api' | 'worker', environment: Readonly<Record<string, string | undefined>>): SupervisedProcess {
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
    return this.#start(new SupervisedProcess(plan, this.#log(name), this.#processEvents()));
  }

  #start(process: SupervisedProcess): SupervisedProcess {
    this.#processes.push(process);
    process.start();
    return process;
  }

  #processEvents() {
    return {
      onIdentity: (name: string, identity: ProcessIdentity | null) => {
        if (identity === null) this.#identities.delete(name);
        else this.#identities.set(name, identity);
        if (this.#stopped === null) this.#save();
      },
      onExit: (name: string, how: string, restartInMs: number) => {
        this.#options.report({
          kind: 'event',
          text: `${name} ${how}; starting it again in ${restartInMs / 1000} s`,
        });
      },
    };
  }

  /** Full logs are cut, and what is not our child (Postgres, Traefik's container) is brought back. */
  async #keepHouse(): Promise<void> {
    if (this.#stopped !== null) return;
    try {
      for (const { log } of this.#processes) log.rotate();
      if (this.#postgres !== null && !(await isPostgresRunning(this.#settings.dataDir))) {
        this.#options.report({ kind: 'event', text: 'postgres is gone; starting it again' });
        this.#postgres = await startPostgres(this.#settings.dataDir);
      }
      if (this.#traefikContainerId !== null && !(await this.#hasContainer(this.#traefikContainerId))) {
        this.#options.report({ kind: 'event', text: "traefik's container is gone; starting it again" });
        await this.#startTraefikContainer();
      }
    } catch (error) {
      this.#options.report({ kind: 'event', text: `not yet: ${String(error)}` });
    }
  }

  async #hasContainer(id: string): Promise<boolean> {
    try {
      await this.#docker.text({ method: 'GET', path: `/containers/${id}/json` });
      return true;
    } catch (error) {
      if (error instanceof DockerRefused && error.status === 404) return false;
      // A daemon that is away says nothing about the container; Docker brings it back with itself.
      return true;
    }
  }

  async #stop(): Promise<void> {
    if (this.#housekeeping !== null) clearInterval(this.#housekeeping);
    for (const process of this.#processes.toReversed()) await process.stop();
    if (this.#traefikContainerId !== null) await removeContainer(this.#docker, this.#traefikContainerId);
    await this.#sample?.close();
    await this.#postgres?.stop();
    removeRunState(this.#settings.dataDir);
  }

  async #step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    const milliseconds = performance.now() - startedAt;
    this.#options.report({
      kind: 'step',
      name,
      detail: typeof result === 'string' ? result : '',
      milliseconds,
    });
    return result;
  }

  #log(name: string): LogFile {
    return new LogFile(this.#settings.dataDir, name);
  }

  #save(): void {
    const supervisor = identifyProcess(process.pid);
    if (supervisor === null) return;
    writeRunState(this.#settings.dataDir, {
      supervisor,
      ready: this.#ready,
      processes: Object.fromEntries(this.#identities),
      traefikContainerId: this.#traefikContainerId,
      embeddedPostgres: this.#postgres !== null,
      apiUrl: apiUrl(this.#settings),
      baseDomain: this.#settings.baseDomain,
      httpPort: this.#options.httpPort,
      sampleRepoUrl: this.#sample?.repoUrl ?? null,
    });
  }
}

async function untilUp(process: SupervisedProcess, isUp: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + ANSWER_LIMIT_MS;
  while (!(await isUp())) {
    if (process.exits >= HOPELESS_EXITS || performance.now() > limit) {
      throw new CannotStart(`${process.name} did not start (${process.log.path}):`, process.log.tail(20));
    }
    await delay(50);
  }
}

async function untilContainerUp(isUp: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + ANSWER_LIMIT_MS;
  while (!(await isUp())) {
    if (performance.now() > limit)
      throw new CannotStart("Traefik's container did not answer; see docker logs.");
    await delay(50);
  }
}

function apiUrl(settings: StartSettings): string {
  return `http://${hostAndPort(reachableAddress(settings.apiAddress), settings.apiPort)}`;
}

/** What listens on every address is asked on loopback. */
export function reachableAddress(address: string): string {
  return address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
}

function hostAndPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function platformHost(settings: StartSettings): string {
  return settings.publicUrl === null ? `berth.${settings.baseDomain}` : new URL(settings.publicUrl).hostname;
}
