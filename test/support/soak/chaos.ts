import { setTimeout as delay } from 'node:timers/promises';
import type { ProductProcess } from '../child-process.ts';
import type { Platform } from '../platform.ts';
import { waitUntil } from '../wait-until.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A process that is killed and started again and again. */
interface Victim {
  readonly name: 'api' | 'worker';
  isUp(): Promise<boolean>;
  isRunning(): boolean;
  kill9(): Promise<void>;
  /** May fail, as a start does while the database is away. */
  start(): Promise<void>;
}

/** `kill -9` of the API and of two workers, each one to five seconds after it is up, and never more gently. */
export class Chaos {
  readonly kills = { api: 0, worker: 0 };
  readonly #victims: readonly Victim[];
  readonly #random: SeededRandom;
  readonly #stop = new AbortController();
  readonly #killing: Promise<void>[] = [];

  constructor(platform: Platform, random: SeededRandom) {
    this.#random = random;
    this.#victims = [api(platform), firstWorker(platform), secondWorker(platform)];
  }

  begin(): void {
    for (const victim of this.#victims) this.#killing.push(this.#killAgainAndAgain(victim));
  }

  /** No more kills; all are up again. */
  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#killing);
    await Promise.all(this.#victims.map(untilUp));
  }

  async #killAgainAndAgain(victim: Victim): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await untilUp(victim);
      await delay(this.#random.between(1_000, 5_000), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await victim.kill9();
      this.kills[victim.name] += 1;
      await victim.start().catch(() => undefined);
    }
  }
}

/** As a supervisor does: started again when it ended by itself, since nothing was there to start with. */
async function untilUp(victim: Victim): Promise<void> {
  await waitUntil(
    `the ${victim.name} to be up`,
    async () => {
      if (!victim.isRunning()) await victim.start().catch(() => undefined);
      return victim.isUp();
    },
    { timeoutMs: 120_000, intervalMs: 100 },
  );
}

function api({ apiServer }: Platform): Victim {
  return {
    name: 'api',
    isUp: async () => apiServer.isRunning(),
    isRunning: () => apiServer.isRunning(),
    kill9: () => apiServer.kill9(),
    start: () => apiServer.start(),
  };
}

function firstWorker(platform: Platform): Victim {
  const { worker } = platform;
  return {
    name: 'worker',
    isUp: () => isPresent(platform, worker.pid()),
    isRunning: () => worker.isRunning(),
    kill9: () => worker.kill9(),
    start: async () => worker.start(),
  };
}

function secondWorker(platform: Platform): Victim {
  let second: ProductProcess = platform.addWorker();
  return {
    name: 'worker',
    isUp: () => isPresent(platform, second.pid),
    isRunning: () => second.isRunning,
    kill9: () => second.kill9(),
    start: async () => {
      second = platform.addWorker();
    },
  };
}

/** It has told of itself, so it works. */
async function isPresent({ prisma }: Platform, pid: number): Promise<boolean> {
  return prisma.worker.count({ where: { pid } }).then(
    (count) => count > 0,
    () => false,
  );
}
