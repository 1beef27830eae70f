import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MEMORY_ENVIRONMENT, programArguments } from '../../cmd/up/programs.ts';
import type { PrismaClient } from '../../internal/db/database.ts';
import { ensureInstance } from '../../internal/db/instance.ts';
import { ApiClient, type AppView, type DeploymentView } from './api-client.ts';
import { ProductProcess } from './child-process.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { DockerObjects, type TestContainer } from './docker-objects.ts';
import type { RepositoryFiles } from './fixture-apps.ts';
import { freePorts } from './free-ports.ts';
import { type HttpAnswer, httpRequest } from './http-request.ts';
import { leftOnDisk } from './left-on-disk.ts';
import { networkPool } from './network-pool.ts';
import type { PrivateDocker } from './private-docker.ts';
import { TestGit, type TestRepository } from './test-git.ts';
import { TestTraefik } from './traefik.ts';
import { waitUntil } from './wait-until.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');

export interface PlatformOptions {
  /** Default: a new one on the server of this test run. */
  readonly database?: TestDatabase;
  /** More environment for API and worker, as in `.env.example`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Another daemon than the machine's; it is the test's to close, afterwards. */
  readonly docker?: PrivateDocker;
  /** From `dist/`, as in production, instead of the sources. */
  readonly built?: boolean;
  /** Path of the Node that runs API and worker, if not this one; and of Traefik, if not the one of the environment. */
  readonly node?: string;
  readonly traefik?: string;
}

/** Nobody works on it any more; a live one may still drain what was before it. */
const ENDED = new Set(['live', 'failed', 'cancelled', 'superseded', 'retired', 'stopped', 'crashed']);

/**
 * The whole product for one test: its own database, DATA_DIR, instance, ports and networks; API, worker and Traefik as
 * real processes. Ends with `close()`, which fails when the product left anything behind.
 */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const database = options.database ?? (await createTestDatabase());
  const git = await TestGit.start();
  const dataDir = mkdtempSync('/tmp/berth-e2e-');
  const instance = await ensureInstance(database.database.prisma);
  const [apiPort = 0, fallbackPort = 0, httpPort = 0, traefikPort = 0] = await freePorts(4);
  const settings = {
    PATH: process.env['PATH'] ?? '',
    HOME: dataDir,
    // FAULT_AT counts only there.
    NODE_ENV: 'test',
    DATA_DIR: dataDir,
    DATABASE_URL: database.url.reveal(),
    PORT: String(apiPort),
    FALLBACK_PORT: String(fallbackPort),
    HTTP_PORT: String(httpPort),
    TRAEFIK_API_URL: `http://127.0.0.1:${traefikPort}`,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SESSION_SECRET: randomBytes(32).toString('base64'),
    GIT_PRIVATE_HOSTS: git.host,
    NETWORK_POOL: networkPool(),
    POLL_INTERVAL_MS: '500',
    LOG_LEVEL: 'debug',
    // A test asks again and again, faster than people do.
    RATE_LIMIT_REQUESTS: '1000000',
    RATE_LIMIT_DEPLOYS: '1000000',
    ...(options.docker ? { DOCKER_HOST: options.docker.host } : {}),
    ...options.settings,
  };
  const traefik = await TestTraefik.start({
    ...(options.traefik === undefined ? {} : { binary: options.traefik }),
    checkout: CHECKOUT,
    directory: join(dataDir, 'traefik'),
    instance,
    httpPort,
    apiPort: traefikPort,
    dockerHost: options.docker?.host ?? 'unix:///var/run/docker.sock',
    platformHost: 'berth.localhost',
    apiAddress: `127.0.0.1:${apiPort}`,
    fallbackPort,
  });
  const platform = new Platform({
    instance,
    dataDir,
    settings,
    traefik,
    docker: new DockerObjects(instance, options.docker?.docker),
    git,
    built: options.built ?? false,
    node: options.node ?? process.execPath,
    prisma: database.database.prisma,
    closeDatabase: () => database.close(),
  });
  try {
    await platform.waitForApi();
    return platform;
  } catch (error) {
    await platform.end();
    throw error;
  }
}

interface Parts {
  readonly instance: string;
  readonly dataDir: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly traefik: TestTraefik;
  readonly docker: DockerObjects;
  readonly git: TestGit;
  readonly built: boolean;
  readonly node: string;
  readonly prisma: PrismaClient;
  closeDatabase(): Promise<void>;
}

export class Platform {
  readonly instance: string;
  readonly dataDir: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly traefik: TestTraefik;
  /** For what the API does not tell: steps, attempts, priorities. */
  readonly prisma: PrismaClient;
  readonly docker: DockerObjects;
  readonly git: TestGit;
  readonly #parts: Parts;
  #apiProcess: ProductProcess;
  #workerProcess: ProductProcess;
  readonly #moreWorkers: ProductProcess[] = [];
  #api: ApiClient | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.instance = parts.instance;
    this.dataDir = parts.dataDir;
    this.settings = parts.settings;
    this.traefik = parts.traefik;
    this.git = parts.git;
    this.prisma = parts.prisma;
    this.docker = parts.docker;
    this.#apiProcess = this.#start('api');
    this.#workerProcess = this.#start('worker');
  }

  /** With the token of the first start. */
  get api(): ApiClient {
    this.#api ??= new ApiClient(
      Number(this.settings['PORT']),
      readFileSync(join(this.dataDir, 'admin-token'), 'utf8').trim(),
    );
    return this.#api;
  }

  get httpPort(): number {
    return Number(this.settings['HTTP_PORT']);
  }

  readonly worker = {
    pid: () => this.#workerProcess.pid,
    isRunning: () => this.#workerProcess.isRunning,
    kill9: () => this.#workerProcess.kill9(),
    stop: () => this.#workerProcess.stop(),
    /** Started again, with other settings if wanted. */
    start: (settings: Readonly<Record<string, string>> = {}) => {
      this.#workerProcess = this.#start('worker', settings);
    },
  };

  /** One more beside it, until the end. */
  addWorker(settings: Readonly<Record<string, string>> = {}): ProductProcess {
    const worker = this.#start('worker', settings);
    this.#moreWorkers.push(worker);
    return worker;
  }

  /** In the last of what it has logged. */
  workerHasSaid(words: string): boolean {
    return this.#workerProcess.tail.includes(words);
  }

  readonly apiServer = {
    pid: () => this.#apiProcess.pid,
    isRunning: () => this.#apiProcess.isRunning,
    kill9: () => this.#apiProcess.kill9(),
    stop: () => this.#apiProcess.stop(),
    start: async () => {
      this.#apiProcess = this.#start('api');
      await this.waitForApi();
    },
  };

  async waitForApi(): Promise<void> {
    const port = Number(this.settings['PORT']);
    await waitUntil(
      'the API to answer',
      () => {
        if (!this.#apiProcess.isRunning) throw new Error(`the API ended at once\n${this.#apiProcess.tail}`);
        return httpRequest({ port, path: '/health' }).then(
          ({ status }) => status === 200 && existsSync(join(this.dataDir, 'admin-token')),
          () => false,
        );
      },
      // From the sources it takes long to start where much else runs.
      { timeoutMs: 120_000, explain: () => this.#apiProcess.tail },
    );
  }

  /** Through Traefik. */
  http(host: string, path = '/', method = 'GET'): Promise<HttpAnswer> {
    return httpRequest({ port: this.httpPort, host, path, method });
  }

  createRepository(name: string, files: RepositoryFiles): Promise<TestRepository> {
    return this.git.createRepository(name, files);
  }

  containers(filter: { deploymentId?: string; appId?: string } = {}): Promise<TestContainer[]> {
    return this.docker.containers(filter);
  }

  /** Until the deployment has that status. @throws at once when it ended in another one, with its reason and log. */
  waitForStatus(deploymentId: string, status: string, timeoutMs = 60_000): Promise<DeploymentView> {
    return waitUntil(
      `deployment ${deploymentId} to be ${status}`,
      async () => {
        this.#workerProcess.expectNoCrash();
        const deployment = await this.api.deployment(deploymentId);
        if (deployment.status === status) return deployment;
        if (ENDED.has(deployment.status) && !mayFollow(deployment.status, status)) {
          throw new Error(
            `deployment ${deploymentId} is ${deployment.status}, not ${status}: ${deployment.failure_code} ${deployment.failure_reason}\n${await this.explain(deploymentId)}`,
          );
        }
        return null;
      },
      { timeoutMs, intervalMs: 100, explain: () => this.explain(deploymentId) },
    );
  }

  /** Until it has ended, its drain too: nothing more happens to it by itself. */
  async waitForEndOfDrain(deploymentId: string, timeoutMs = 60_000): Promise<void> {
    await waitUntil(
      `the drain after ${deploymentId}`,
      async () => {
        const row = await this.prisma.deployment.findUniqueOrThrow({ where: { id: deploymentId } });
        return ENDED.has(row.status) && (row.status !== 'live' || row.step === null);
      },
      { timeoutMs, explain: () => this.explain(deploymentId) },
    );
  }

  /** Until a worker is in that step of it. */
  async waitForStep(deploymentId: string, step: string, timeoutMs = 60_000): Promise<void> {
    await waitUntil(
      `deployment ${deploymentId} to be ${step}`,
      async () =>
        (await this.prisma.deployment.findUniqueOrThrow({ where: { id: deploymentId } })).step === step,
      { timeoutMs, intervalMs: 20, explain: () => this.explain(deploymentId) },
    );
  }

  /** Creates the app and awaits its first release. */
  async createLiveApp(
    input: Readonly<Record<string, unknown>>,
  ): Promise<{ app: AppView; deployment: DeploymentView }> {
    const app = await this.api.createApp(input);
    const [first] = await this.api.deployments(app.id);
    if (!first) throw new Error('creating an app queued no deployment');
    const deployment = await this.waitForStatus(first.id, 'live');
    await this.waitForEndOfDrain(first.id);
    return { app: await this.api.app(app.id), deployment };
  }

  /** Asks for a deployment and awaits its end; the previous one may still be draining. */
  async deploy(appId: string, status = 'live'): Promise<DeploymentView> {
    const { id } = await this.api.deploy(appId);
    return this.waitForStatus(id, status);
  }

  /** What a failed test wants to read. */
  async explain(deploymentId: string): Promise<string> {
    const lines = await this.prisma.logLine.findMany({
      where: { streamId: deploymentId },
      orderBy: { seq: 'desc' },
      take: 30,
    });
    const text = lines.toReversed().map((line) => `${line.source} ${line.level}: ${line.text}`);
    return ['--- its log ---', ...text, this.#workerProcess.tail, this.traefik.process.tail].join('\n');
  }

  /**
   * Deletes every app through the product, however many there are.
   * @returns what is left once nothing has gone for a while; nothing, when the product is right
   */
  async deleteAllApps(stillMs = 30_000): Promise<string[]> {
    if (!this.worker.isRunning()) this.worker.start();
    for (const { id } of await this.api.apps()) await this.api.deleteApp(id);
    let fewest = Number.POSITIVE_INFINITY;
    for (let movedAt = performance.now(); ; await delay(200)) {
      const left = await this.#whatIsLeft();
      if (left.length < fewest) movedAt = performance.now();
      fewest = Math.min(fewest, left.length);
      if (left.length === 0 || performance.now() - movedAt > stillMs) return left;
    }
  }

  /** Deletes the apps through the product and ends everything. @throws when something is left or went down badly. */
  async close(): Promise<void> {
    const left = await this.deleteAllApps().catch((error: unknown) => [String(error)]);
    const problems = left.length > 0 ? [`left behind: ${left.join(', ')}\n${this.#workerProcess.tail}`] : [];
    problems.push(...(await this.end()));
    if (problems.length > 0) throw new Error(`${problems.join('\n')}\n(logs: ${this.dataDir})`);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Ends the processes and removes what is labelled, whatever state it is in. @returns what went wrong */
  async end(): Promise<string[]> {
    const problems: string[] = [];
    for (const step of [
      () => this.#workerProcess.stop(),
      ...this.#moreWorkers.map((worker) => () => worker.stop()),
      () => this.#apiProcess.stop(),
      () => this.traefik.process.stop(),
      () => this.docker.removeAll(),
      () => this.git.close(),
      () => this.#parts.closeDatabase(),
    ]) {
      await step().catch((error: unknown) => problems.push(String(error)));
    }
    return problems;
  }

  async #whatIsLeft(): Promise<string[]> {
    const apps = (await this.api.apps()).map(({ name }) => `app ${name}`);
    return [...apps, ...(await this.docker.describeAll()), ...leftOnDisk(this.dataDir)];
  }

  #start(name: 'api' | 'worker', settings: Readonly<Record<string, string>> = {}): ProductProcess {
    const args = this.#parts.built
      ? programArguments(CHECKOUT, name, 'built')
      : ['--import', 'tsx', `cmd/${name}/main.ts`];
    return new ProductProcess({
      name,
      command: this.#parts.node,
      args,
      environment: { ...MEMORY_ENVIRONMENT, ...this.settings, ...settings },
      cwd: CHECKOUT,
      logFile: join(this.dataDir, `${name}.log`),
    });
  }
}

/** `live` is an end, but not the last one. */
function mayFollow(status: string, wanted: string): boolean {
  return (status === 'live' && ['retired', 'stopped', 'crashed'].includes(wanted)) || status === 'retired';
}
