import { z } from 'zod';
import { requireApp } from '../apps/app-store.ts';
import type { AppEntryPoint } from '../apps/app-url.ts';
import { findOrMakeApp } from '../apps/find-or-make-app.ts';
import { QUICK_DEPLOY_ALIASES } from '../apps/input-aliases.ts';
import type { RepoUrlPolicy } from '../apps/repo-url.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { idParams, id as idSchema } from '../openapi/schemas.ts';
import { defaultProject } from '../projects/project-store.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { deploySchema, quickDeploySchema } from './deployment-input.ts';
import { deploymentSchema } from './deployment-view.ts';
import { requestDeployment } from './request-deployment.ts';

export interface RequestRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly repoUrlPolicy: RepoUrlPolicy;
  readonly entryPoint: AppEntryPoint;
  readonly viewDeployment: (userId: string, id: string) => Promise<z.input<typeof deploymentSchema>>;
}

/** The two ways to ask for a deployment: of an app, or of a repository in one call. */
export function requestRoutes(needs: RequestRouteNeeds): Operation[] {
  const { prisma, box, entryPoint } = needs;
  return [
    op({
      method: 'post',
      path: '/apps/:id/deploy',
      id: 'deployApp',
      tag: 'apps',
      summary: 'Deploy an app',
      auth: 'token',
      params: idParams,
      body: deploySchema,
      errors: ['app_deleting'],
      responses: { 202: { description: 'The queued deployment', schema: deploymentSchema } },
      async handler({ params, body }, call) {
        const { userId } = call.caller;
        const id = await prisma.$transaction(async (tx) => {
          await requireApp(tx, userId, params.id);
          const { branch = null, commit_sha: commitSha = null } = body;
          const asked = { appId: params.id, trigger: 'manual', branch, commitSha } as const;
          const row = await requestDeployment(tx, asked, box);
          const detail = { app_id: params.id, ...body };
          await recordAudit(tx, call, {
            action: 'deployment.request',
            object: 'deployment',
            objectId: row.id,
            detail,
          });
          return row.id;
        });
        const headers = { Location: `/api/v1/deployments/${id}` };
        return { status: 202, headers, body: await needs.viewDeployment(userId, id) };
      },
    }),

    op({
      method: 'post',
      path: '/deployments',
      id: 'deployRepository',
      tag: 'deployments',
      summary: 'Deploy a repository in one call',
      description: 'Finds or makes the app of this repository and branch in the project `default`.',
      auth: 'token',
      body: quickDeploySchema(needs.repoUrlPolicy),
      aliases: QUICK_DEPLOY_ALIASES,
      errors: ['host_taken'],
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
        const queued = await prisma.$transaction(async (tx) => {
          const project = await defaultProject(tx, { id: userId, hash: userHash });
          const { repo: repoUrl, branch = null, port } = body;
          const { app, isNew } = await findOrMakeApp(tx, {
            project,
            userHash,
            baseDomain,
            repoUrl,
            branch,
            port,
          });
          if (isNew) {
            const created = { action: 'app.create', object: 'app', objectId: app.id, detail: body } as const;
            await recordAudit(tx, call, created);
          }
          const row = await requestDeployment(tx, { appId: app.id, trigger: 'api' }, box);
          const detail = { app_id: app.id, ...body };
          await recordAudit(tx, call, {
            action: 'deployment.request',
            object: 'deployment',
            objectId: row.id,
            detail,
          });
          return { app_id: app.id, deployment_id: row.id };
        });
        return {
          status: 202,
          headers: { Location: `/api/v1/deployments/${queued.deployment_id}` },
          body: queued,
        };
      },
    }),
  ];
}
