import { z } from 'zod';
import { lockApp, requireApp } from '../apps/app-store.ts';
import type { AppEntryPoint } from '../apps/app-url.ts';
import { findOrMakeApp } from '../apps/find-or-make-app.ts';
import { DEPLOY_ALIASES, QUICK_DEPLOY_ALIASES } from '../apps/input-aliases.ts';
import type { RepoUrlPolicy } from '../apps/repo-url.ts';
import { type AuditEntry, recordAudit } from '../audit/record-audit.ts';
import type { Db } from '../db/database.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Call, type Operation, op } from '../openapi/operation.ts';
import { appIdParams, id as idSchema } from '../openapi/schemas.ts';
import { projectForApp } from '../projects/project-store.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { applySettings } from './bring-back.ts';
import { deploySchema, quickDeploySchema } from './deployment-input.ts';
import { deploymentSchema } from './deployment-view.ts';
import { requestDeployment } from './request-deployment.ts';

export interface RequestRouteNeeds {
  readonly answerOnce: AnswerOnce;
  readonly box: SealedBox;
  readonly repoUrlPolicy: RepoUrlPolicy;
  readonly entryPoint: AppEntryPoint;
  readonly viewDeployment: (db: Db, userId: string, id: string) => Promise<z.input<typeof deploymentSchema>>;
}

/** The two ways to ask for a deployment: of an app, or of a repository in one call. */
export function requestRoutes(needs: RequestRouteNeeds): Operation[] {
  const { answerOnce, box, entryPoint } = needs;

  const requestOf = async (tx: Db, userId: string, appId: string, body: z.output<typeof deploySchema>) => {
    if (body.build === false) {
      await lockApp(tx, userId, appId);
      return applySettings(tx, appId, box);
    }
    await requireApp(tx, userId, appId);
    const { branch = null, commit_sha: commitSha = null, no_cache: noCache = false } = body;
    return requestDeployment(tx, { appId, trigger: 'manual', branch, commitSha, noCache }, box);
  };

  return [
    op({
      method: 'post',
      path: '/apps/:id/deploy',
      id: 'deployApp',
      tag: 'apps',
      summary: 'Deploy an app',
      auth: 'token',
      scope: 'deploy',
      params: appIdParams,
      body: deploySchema,
      aliases: DEPLOY_ALIASES,
      takesIdempotencyKey: true,
      errors: ['app_deleting', 'no_release'],
      responses: { 202: { description: 'The queued deployment', schema: deploymentSchema } },
      async handler({ params, body }, call) {
        const { userId } = call.caller;
        return answerOnce(call, async (tx) => {
          const { id } = await requestOf(tx, userId, params.id, body);
          await recordRequest(tx, call, { id, detail: { app_id: params.id, ...body } });
          const headers = { Location: `/api/v1/deployments/${id}` };
          return { status: 202 as const, headers, body: await needs.viewDeployment(tx, userId, id) };
        });
      },
    }),

    op({
      method: 'post',
      path: '/deployments',
      id: 'deployRepository',
      tag: 'deployments',
      summary: 'Deploy a repository in one call',
      description: 'Finds or makes the app of this repository and branch in the project.',
      auth: 'token',
      scope: 'deploy',
      body: quickDeploySchema(needs.repoUrlPolicy),
      aliases: QUICK_DEPLOY_ALIASES,
      takesIdempotencyKey: true,
      errors: ['host_taken', 'project_deleting'],
      responses: {
        202: {
          description: 'The app and the queued deployment',
          schema: z
            .object({ app_id: idSchema, deployment_id: idSchema })
            .meta({ id: 'Queued', examples: [{ app_id: 'k3v5ahq2xd', deployment_id: 'q6wlnf4j3e' }] }),
        },
      },
      async handler({ body }, call) {
        const { userId, userHash } = call.caller;
        const { baseDomain } = entryPoint;
        return answerOnce(call, async (tx) => {
          const { repo: repoUrl, branch = null, port, project_id: projectId } = body;
          const project = await projectForApp(tx, { id: userId, hash: userHash }, projectId);
          const wanted = { project, userHash, baseDomain, repoUrl, branch, port };
          const { app, isNew } = await findOrMakeApp(tx, wanted);
          if (isNew) {
            const created = { action: 'app.create', object: 'app', objectId: app.id, detail: body } as const;
            await recordAudit(tx, call, created);
          }
          const { id } = await requestDeployment(tx, { appId: app.id, trigger: 'api' }, box);
          await recordRequest(tx, call, { id, detail: { app_id: app.id, ...body } });
          const headers = { Location: `/api/v1/deployments/${id}` };
          return { status: 202 as const, headers, body: { app_id: app.id, deployment_id: id } };
        });
      },
    }),
  ];
}

function recordRequest(
  tx: Db,
  call: Call,
  { id, detail }: { id: string; detail: NonNullable<AuditEntry['detail']> },
): Promise<void> {
  return recordAudit(tx, call, {
    action: 'deployment.request',
    object: 'deployment',
    objectId: id,
    detail,
  });
}
