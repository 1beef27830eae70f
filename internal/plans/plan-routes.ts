import { z } from 'zod';
import { branchName, repoPath, repoUrl } from '../apps/app-input.ts';
import { frameworkChoice } from '../apps/framework.ts';
import type { RepoUrlPolicy } from '../apps/repo-url.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { id as idSchema } from '../openapi/schemas.ts';
import { askForPlan, findPlan } from './plan-store.ts';
import { planSchema, viewPlan } from './plan-view.ts';

export interface PlanRouteNeeds {
  readonly prisma: PrismaClient;
  readonly repoUrlPolicy: RepoUrlPolicy;
  readonly answerOnce: AnswerOnce;
}

const ALIASES = {
  repoUrl: 'repo_url',
  github_url: 'repo_url',
  rootDirectory: 'root_directory',
  app_type: 'framework',
};

/** How a repository would be built, before there is an app of it. A worker looks; the API touches no Git. */
export function planRoutes({ prisma, repoUrlPolicy, answerOnce }: PlanRouteNeeds): Operation[] {
  return [
    op({
      method: 'post',
      path: '/plans',
      id: 'askForPlan',
      tag: 'apps',
      summary: 'Ask how a repository would be built',
      description:
        'A worker clones it and looks: read the plan until it is `done` or `failed`, within seconds.',
      auth: 'token',
      scope: 'deploy',
      body: z
        .strictObject({
          repo_url: repoUrl(repoUrlPolicy),
          branch: branchName.nullable().optional(),
          root_directory: repoPath.optional(),
          framework: frameworkChoice.optional(),
        })
        .meta({ id: 'NewPlan', examples: [{ repo_url: 'acme/shop', root_directory: 'apps/web' }] }),
      aliases: ALIASES,
      takesIdempotencyKey: true,
      responses: { 202: { description: 'The plan, which a worker will answer', schema: planSchema } },
      async handler({ body }, call) {
        return answerOnce(call, async (tx) => {
          const plan = await askForPlan(tx, {
            userId: call.caller.userId,
            repoUrl: body.repo_url,
            branch: body.branch ?? null,
            rootDirectory: body.root_directory ?? '.',
            framework: body.framework ?? 'auto',
          });
          await recordAudit(tx, call, {
            action: 'plan.request',
            object: 'plan',
            objectId: plan.id,
            detail: body,
          });
          const headers = { Location: `/api/v1/plans/${plan.id}` };
          return { status: 202 as const, headers, body: viewPlan(plan) };
        });
      },
    }),

    op({
      method: 'get',
      path: '/plans/:id',
      id: 'getPlan',
      tag: 'apps',
      summary: 'Read a plan',
      description: 'Plans are kept for a day.',
      auth: 'token',
      params: z.object({ id: idSchema.meta({ param: { example: 'p5n3ahq2xd' } }) }),
      responses: { 200: { description: 'The plan', schema: planSchema } },
      async handler({ params }, { caller }) {
        const plan = await findPlan(prisma, caller.userId, params.id);
        if (!plan) throw new AppError('not_found', 'There is no plan with this id.');
        return { status: 200, body: viewPlan(plan) };
      },
    }),
  ];
}
