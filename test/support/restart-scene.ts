import type { AppView } from './api-client.ts';
import { IdentityProbes, type Probe } from './identity-probes.ts';
import type { Platform } from './platform.ts';
import type { PrivateDocker } from './private-docker.ts';
import { soakVersion } from './soak/soak-apps.ts';
import { waitUntil } from './wait-until.ts';

/** What ends and begins again, as an operator does it or as it happens. */
export const RESTARTS = {
  worker: ({ platform }) => stopAndStart(platform.worker),
  'worker, kill -9': ({ platform }) => killAndStart(platform.worker),
  API: ({ platform }) => stopAndStart(platform.apiServer),
  'API, kill -9': ({ platform }) => killAndStart(platform.apiServer),
  Traefik: async ({ platform: { traefik } }) => {
    await traefik.process.stop();
    await traefik.startAgain();
  },
  dockerd: ({ daemon }) => daemon.restart('SIGTERM'),
  'dockerd, kill -9': ({ daemon }) => daemon.restart('SIGKILL'),
  'all at once': async ({ platform, daemon }) => {
    const { traefik, worker, apiServer } = platform;
    await Promise.all([worker.kill9(), apiServer.kill9(), traefik.process.kill9()]);
    await daemon.restart('SIGKILL');
    worker.start();
    await Promise.all([apiServer.start(), traefik.startAgain()]);
  },
} as const satisfies Readonly<Record<string, (scene: RestartScene) => Promise<void>>>;
export type Restart = keyof typeof RESTARTS;

export interface Restarted {
  readonly probes: readonly Probe[];
  /** From the end of the restart until every app had answered anew. */
  readonly backAfterMs: number;
}

/** Some apps, each answering with its name and asked for it all the time, and one that its owner has stopped. */
export class RestartScene {
  readonly platform: Platform;
  readonly daemon: PrivateDocker;
  readonly #probes: IdentityProbes;
  readonly #stopped: AppView;

  private constructor(parts: {
    platform: Platform;
    daemon: PrivateDocker;
    stopped: AppView;
    probes: IdentityProbes;
  }) {
    this.platform = parts.platform;
    this.daemon = parts.daemon;
    this.#stopped = parts.stopped;
    this.#probes = parts.probes;
  }

  static async start(of: {
    platform: Platform;
    daemon: PrivateDocker;
    busyboxImage: string;
    apps: number;
    /** Of each app. */
    probesPerSecond: number;
  }): Promise<RestartScene> {
    const { platform, daemon, busyboxImage } = of;
    const names = Array.from({ length: of.apps }, (_, index) => `app-${index}`);
    const apps: AppView[] = [];
    for (const name of [...names, 'quiet']) {
      const repository = await platform.createRepository(
        name,
        soakVersion(busyboxImage, { app: name, release: '1' }),
      );
      apps.push(
        await platform.api.createApp({ name, repo_url: repository.url, health_check_path: '/health' }),
      );
    }
    for (const { id } of apps) {
      const [first] = await platform.api.deployments(id);
      await platform.waitForStatus(first?.id ?? '', 'live', 180_000);
      await platform.waitForEndOfDrain(first?.id ?? '');
    }
    const stopped = apps.at(-1);
    if (!stopped) throw new Error('there is no app to stop');
    await platform.api.send('POST', `/apps/${stopped.id}/stop`);
    await waitUntil('the quiet app to be stopped', async () => (await runningOf(platform, stopped)) === 0, {
      timeoutMs: 60_000,
    });
    const probes = new IdentityProbes({ port: platform.httpPort, perSecond: of.probesPerSecond });
    for (const name of names) probes.watch(`${name}.localhost`, name);
    await probes.untilAllAnswer(0);
    return new RestartScene({ platform, daemon, stopped, probes });
  }

  /** @throws when after a minute not every app answers. */
  async restart(what: Restart): Promise<Restarted> {
    const begun = performance.now();
    await RESTARTS[what](this);
    const ended = performance.now();
    await this.#probes.untilAllAnswer(ended);
    const backAfterMs = performance.now() - ended;
    // What the worker does first counts, too.
    await this.#untilWorkerIsPresent();
    await this.#probes.untilAllAnswer(performance.now(), { times: 20 });
    return { probes: this.#probes.since(begun), backAfterMs };
  }

  /** What of the stopped app says that it is not stopped; nothing, when it is. */
  async stoppedApp(): Promise<{ status: string; running: number; answer: number }> {
    const { status } = await this.platform.api.app(this.#stopped.id);
    const running = await runningOf(this.platform, this.#stopped);
    const { status: answer } = await this.platform.http('quiet.localhost');
    return { status, running, answer };
  }

  async end(): Promise<void> {
    await this.#probes.stop();
  }

  async #untilWorkerIsPresent(): Promise<void> {
    const { prisma, worker } = this.platform;
    await waitUntil(
      'the worker to work',
      async () => (await prisma.worker.count({ where: { pid: worker.pid() } })) > 0,
      // From the sources it takes long to start where much else runs.
      { timeoutMs: 120_000 },
    );
  }
}

interface Process {
  stop(): Promise<void>;
  kill9(): Promise<void>;
  start(): Promise<void> | void;
}

async function stopAndStart(process: Process): Promise<void> {
  await process.stop();
  await process.start();
}

async function killAndStart(process: Process): Promise<void> {
  await process.kill9();
  await process.start();
}

async function runningOf(platform: Platform, { id }: AppView): Promise<number> {
  return (await platform.containers({ appId: id })).filter(({ running }) => running).length;
}
