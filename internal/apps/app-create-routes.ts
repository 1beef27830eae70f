import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, Project } from '../db/database.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Call, type Operation, op } from '../openapi/operation.ts';
import { projectIdParams } from '../openapi/schemas.ts';
import { projectForApp, requireProject } from '../projects/project-store.ts';
import { type NewAppRules, newAppSchema, newProjectAppSchema, settingsOf } from './app-input.ts';
import { createApp } from './app-store.ts';
import type { AppEntryPoint } from './app-url.ts';
import { appSchema } from './app-view.ts';
import { APP_ALIASES } from './input-aliases.ts';
import type { NewEnvironment } from './new-environment.ts';

export interface CreateRouteNeeds extends NewAppRules {
  readonly entryPoint: AppEntryPoint;
  readonly answerOnce: AnswerOnce;
  // Handed in: apps come before variables and deployments, and know nothing of them.
  readonly environment: NewEnvironment;
  readonly requestFirstDeployment: (tx: Db, appId: string) => Promise<unknown>;
  readonly viewApp: (tx: Db, userId: string, id: string) => Promise<z.input<typeof appSchema>>;
}

type NewApp = z.output<ReturnType<typeof newProjectAppSchema>>;

const errors = ['name_taken', 'host_taken', 'project_deleting'] as const;
const shared = {
  auth: 'token',
  aliases: APP_ALIASES,
  takesIdempotencyKey: true,
  queuesDeployment: true,
  errors,
} as const;

/** The two ways to an app: in a project of the body, which deploys it; and in one of the path, which waits. */
export function createRoutes(needs: CreateRouteNeeds): Operation[] {
  return [
    op({
      ...shared,
      method: 'post',
      path: '/apps',
      id: 'createApp',
      tag: 'apps',
      summary: 'Create an app and queue its first deployment',
      body: newAppSchema(needs),
      responses: { 201: { description: 'The app; its first deployment waits', schema: appSchema } },
      async handler({ body: { project_id: projectId, ...input } }, call) {
        const { userId, userHash } = call.caller;
        return needs.answerOnce(call, async (tx) => {
          const project = await projectForApp(tx, { id: userId, hash: userHash }, projectId);
          return create(needs, tx, call, { project, input });
        });
      },
    }),

    op({
      ...shared,
      method: 'post',
      path: '/projects/:id/apps',
      id: 'createAppOfProject',
      tag: 'projects',
      summary: 'Create an app in a project',
      description: 'Nothing is deployed yet, unless `deploy` says so.',
      params: projectIdParams,
      body: newProjectAppSchema(needs),
      responses: { 201: { description: 'The app', schema: appSchema } },
      async handler({ params, body: input }, call) {
        return needs.answerOnce(call, async (tx) => {
          const project = await requireProject(tx, call.caller.userId, params.id);
          return create(needs, tx, call, { project, input });
        });
      },
    }),
  ];
}

/** The row, its host, its variables and its first deployment: together or not at all. */
async function create(
  needs: CreateRouteNeeds,
  tx: Db,
  call: Call,
  { project, input: { name, env, deploy, ...input } }: { project: Project; input: NewApp },
) {
  const { userId, userHash } = call.caller;
  const settings = { ...settingsOf(input), repoUrl: input.repo_url };
  const { baseDomain } = needs.entryPoint;
  const { id } = await createApp(tx, { name, settings, project, userHash, baseDomain });
  const keys = env && (await needs.environment.store(tx, id, env)).added;
  if (deploy) await needs.requestFirstDeployment(tx, id);
  const detail = { name, project_id: project.id, deploy, ...input, env: keys };
  await recordAudit(tx, call, { action: 'app.create', object: 'app', objectId: id, detail });
  const headers = { Location: `/api/v1/apps/${id}` };
  return { status: 201 as const, headers, body: await needs.viewApp(tx, userId, id) };
}
