import { type Claim, claimNext } from '../deployments/deployment-queue.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { answerPlans } from './answer-plans.ts';
import { cleanUp } from './clean-up/clean-up.ts';
import type { Tools } from './job.ts';
import { dropDuty, holdDuty } from './leader-store.ts';
import { reconcile } from './reconcile.ts';
import { runRecovery } from './recovery.ts';
import { removeDeletedApps } from './remove-app.ts';
import { removeDeletedProjects } from './remove-project.ts';
import { runDeployment, type WorkerIdentity } from './run-deployment.ts';
import { collectRuntimeLogs } from './runtime-logs/collect-runtime-logs.ts';
import { Bell, runWorkerLoop } from './worker-loop.ts';
import { type FindWarnings, runPresence } from './worker-presence.ts';

const RECONCILE_EVERY_MS = 30_000;
const CLEAN_UP_EVERY_MS = 300_000;

export interface WorkerOptions {
  readonly identity: WorkerIdentity;
  readonly concurrency: number;
  readonly pollIntervalMs: number;
  readonly box: SealedBox;
  /** Wake-ups from the database; null: polling alone (which must do, only later). */
  readonly notifications: {
    subscribe(channel: string, listener: (payload: string) => void): () => void;
  } | null;
  readonly findWarnings: FindWarnings;
  readonly signal: AbortSignal;
}

/** Everything a worker does, until the signal is aborted: deployments, the leader's duties, and telling that it lives. */
export async function runWorker(tools: Tools, options: WorkerOptions): Promise<void> {
  await Promise.all([
    runDeployments(tools, options),
    runLeaderDuties(tools, options),
    runRecovery(tools, options),
    collectRuntimeLogs(tools, options),
    answerPlans(tools, options),
    runPresence(tools, options),
  ]);
}

async function runDeployments(tools: Tools, options: WorkerOptions): Promise<void> {
  const { identity, box, notifications, signal } = options;
  const bell = new Bell();
  const interrupts = {
    shutdown: signal,
    onCancelHint: (deploymentId: string, listener: () => void) =>
      notifications?.subscribe('deployment_cancel', (id) => {
        if (id === '' || id === deploymentId) listener();
      }) ?? (() => undefined),
  };
  const unsubscribe = notifications?.subscribe('deployment_queued', () => bell.ring());
  const inHand = new Set<string>();
  const work = async (claim: Claim) => {
    inHand.add(claim.deploymentId);
    try {
      await runDeployment(claim, tools, { worker: identity, box, interrupts });
    } finally {
      inHand.delete(claim.deploymentId);
    }
  };
  await runWorkerLoop({
    ...options,
    ...tools,
    bell,
    async take() {
      const claim = await claimNext(tools.prisma, identity, [...inHand]);
      return claim && { done: work(claim) };
    },
  });
  unsubscribe?.();
}

/** One worker at a time removes deleted apps and projects, and compares Docker with the rows. */
async function runLeaderDuties(tools: Tools, options: WorkerOptions): Promise<void> {
  const { identity, notifications, signal } = options;
  const bell = new Bell();
  const unsubscribe = notifications?.subscribe('deployment_queued', () => bell.ring());
  let reconciledAt = Number.NEGATIVE_INFINITY;
  let cleanedUpAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      if (await holdDuty(tools.prisma, 'reconciler', identity)) {
        await removeDeletedApps(tools);
        await removeDeletedProjects(tools);
        if (tools.clock.now() - reconciledAt >= RECONCILE_EVERY_MS) {
          reconciledAt = tools.clock.now();
          await reconcile(tools);
        }
        if (tools.clock.now() - cleanedUpAt >= CLEAN_UP_EVERY_MS) {
          cleanedUpAt = tools.clock.now();
          await cleanUp(tools);
        }
      }
    } catch (error) {
      tools.logger.warn({ err: error }, 'leader duties interrupted');
    }
    await bell.wait(options.pollIntervalMs, tools.clock, signal);
  }
  unsubscribe?.();
  await dropDuty(tools.prisma, 'reconciler', identity.id).catch(() => undefined);
}
