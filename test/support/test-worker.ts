import type { PrismaClient } from '../../internal/db/database.ts';
import { type Claim, claimNext } from '../../internal/deployments/deployment-queue.ts';
import { requestDeployment } from '../../internal/deployments/request-deployment.ts';
import type { Tools } from '../../internal/engine/job.ts';
import { runDeployment, type WorkerIdentity } from '../../internal/engine/run-deployment.ts';
import type { SealedBox } from '../../internal/secrets/sealed-box.ts';
import type { FakeWorld } from './fake-tools.ts';

/** A worker without its loop: it takes one deployment when it is told to, and nobody asks it to cancel one. */
export class TestWorker {
  readonly identity: WorkerIdentity;
  readonly #box: SealedBox;

  constructor(box: SealedBox, { id = 'worker-a', leaseSeconds = 30 }: Partial<WorkerIdentity> = {}) {
    this.identity = { id, leaseSeconds };
    this.#box = box;
  }

  /** The next deployment of the queue. @throws when none waits */
  async claim(prisma: PrismaClient): Promise<Claim> {
    const claim = await claimNext(prisma, this.identity);
    if (!claim) throw new Error('nothing to claim');
    return claim;
  }

  /** Works on it until it is done, or `shutdown` is aborted. */
  async run(claim: Claim, tools: Tools, shutdown = new AbortController().signal): Promise<void> {
    const interrupts = { shutdown, onCancelHint: () => () => undefined };
    await runDeployment(claim, tools, { worker: this.identity, box: this.#box, interrupts });
  }

  /** Takes the next deployment and works on it. */
  async work(tools: Tools, shutdown?: AbortSignal): Promise<void> {
    await this.run(await this.claim(tools.prisma), tools, shutdown);
  }

  /** A deployment from its request to its end; what the world remembers of it is forgotten. @returns its id */
  async deploy(world: FakeWorld, appId: string): Promise<string> {
    const { prisma } = world.tools;
    const { id } = await requestDeployment(prisma, { appId, trigger: 'manual' }, this.#box);
    await this.work(world.tools);
    world.events.length = 0;
    return id;
  }
}
