import { frameworkChoice } from '../apps/framework.ts';
import type { BuildPlanRequest } from '../db/database.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { answerPlan, claimPlan, type PlanOutcome } from '../plans/plan-store.ts';
import type { PlanResult } from '../plans/plan-view.ts';
import type { Tools } from './job.ts';
import { planBuild, READ_FILES } from './plan-build.ts';
import { Bell } from './worker-loop.ts';

/** A clone may take its whole time. Nothing is lost if a plan is made twice. */
const LEASE_SECONDS = 600;

export type PlanTools = Pick<
  Tools,
  'prisma' | 'source' | 'credentials' | 'repository' | 'settings' | 'clock' | 'logger'
>;

/** Answers, one after the other, how repositories would be built, until the signal is aborted. */
export async function answerPlans(
  tools: PlanTools,
  options: {
    readonly identity: { readonly id: string };
    readonly pollIntervalMs: number;
    readonly notifications: {
      subscribe(channel: string, listener: (payload: string) => void): () => void;
    } | null;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { identity, notifications, signal } = options;
  const bell = new Bell();
  const unsubscribe = notifications?.subscribe('plan_requested', () => bell.ring());
  while (!signal.aborted) {
    try {
      const plan = await claimPlan(tools.prisma, { id: identity.id, leaseSeconds: LEASE_SECONDS });
      if (plan) {
        const outcome = await makePlan(tools, plan, signal);
        await answerPlan(tools.prisma, { id: plan.id, workerId: identity.id }, outcome);
        continue;
      }
    } catch (error) {
      if (signal.aborted) break;
      tools.logger.warn({ err: error }, 'planning interrupted');
    }
    await bell.wait(options.pollIntervalMs, tools.clock, signal);
  }
  unsubscribe?.();
}

async function makePlan(tools: PlanTools, plan: BuildPlanRequest, signal: AbortSignal): Promise<PlanOutcome> {
  try {
    return { status: 'done', result: await lookAt(tools, plan, signal) };
  } catch (error) {
    // Stopped, not failed: the next worker takes it over.
    signal.throwIfAborted();
    if (!(error instanceof DeploymentFailed)) throw error;
    return { status: 'failed', code: error.code, reason: `${error.message} ${error.advice}` };
  } finally {
    await tools.source.remove(plan.id);
  }
}

async function lookAt(
  { source, credentials, repository, settings }: PlanTools,
  plan: BuildPlanRequest,
  signal: AbortSignal,
): Promise<PlanResult> {
  const { id, userId, repoUrl, branch, rootDirectory } = plan;
  const credential = await credentials.find({ userId, appId: null, repoUrl });
  const without = { projectId: null, commitSha: null, submodules: null, lfs: false };
  const request = { deploymentId: id, attempt: 1, repoUrl, branch, credential, ...without };
  const checkout = await source.checkout(request, { onLine: () => undefined, signal });
  const wanted = { rootDirectory, dockerfilePath: null, textsOf: READ_FILES };
  const facts = await repository.read(checkout.directory, wanted);
  const found = planBuild(facts, {
    framework: frameworkChoice.catch('auto').parse(plan.framework),
    dockerfilePath: null,
    buildCommand: null,
    startCommand: null,
    outputDirectory: null,
    port: null,
    buildVariables: [],
    images: settings.baseImages,
  });
  const isGenerated = found.kind === 'generated';
  return {
    framework: isGenerated ? found.framework : 'dockerfile',
    commit_sha: checkout.commitSha,
    branch: checkout.branch,
    why: isGenerated ? found.why : `There is a ${found.path}, which is built as it is.`,
    build_command: isGenerated ? found.buildCommand : null,
    start_command: isGenerated ? found.startCommand : null,
    port: isGenerated ? found.port : null,
    dockerfile: isGenerated ? found.dockerfile : null,
  };
}
