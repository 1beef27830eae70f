import { claimNext } from '../../internal/deployments/deployment-queue.ts';
import { requestDeployment } from '../../internal/deployments/request-deployment.ts';
import { runDeployment } from '../../internal/engine/run-deployment.ts';
import type { SealedBox } from '../../internal/secrets/sealed-box.ts';
import type { FakeWorld } from './fake-tools.ts';

const worker = { id: 'worker-a', leaseSeconds: 30 };

/** Works on the next deployment of the queue as one worker would. */
export async function workInFakeWorld(world: FakeWorld, box: SealedBox): Promise<void> {
  const claim = await claimNext(world.tools.prisma, worker);
  if (!claim) throw new Error('nothing to claim');
  const interrupts = { shutdown: new AbortController().signal, onCancelHint: () => () => undefined };
  await runDeployment(claim, world.tools, { worker, box, interrupts });
}

/** A deployment from its request to its end; its events are forgotten. @returns its id */
export async function deployInFakeWorld(world: FakeWorld, box: SealedBox, appId: string): Promise<string> {
  const { id } = await requestDeployment(world.tools.prisma, { appId, trigger: 'manual' }, box);
  await workInFakeWorld(world, box);
  world.events.length = 0;
  return id;
}
