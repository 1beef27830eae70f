import { z } from 'zod';
import { requireApp } from '../apps/app-store.ts';
import type { AppEntryPoint } from '../apps/app-url.ts';
import { findOrMakeApp } from '../apps/find-or-make-app.ts';
import type { RepoUrlPolicy } from '../apps/repo-url.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import {
  DEFAULT_PAGE,
  decodeCursor,
  encodeCursor,
  idParams,
  id as idSchema,
  pageOf,
  pageQuery,
} from '../openapi/schemas.ts';
import { defaultProject } from '../projects/project-store.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { cancelDeployment } from './cancel-deployment.ts';
import { deploySchema, QUICK_DEPLOY_ALIASES, quickDeploySchema } from './deployment-input.ts';
import {
  type ListedDeployment,
  listDeployments,
  listSteps,
  readDeployment,
  readWaiting,
} from './deployment-reads.ts';
import {
  deploymentSchema,
  listedDeploymentSchema,
  viewDeployment,
  viewListedDeployment,
} from './deployment-view.ts';
import { requestDeployment } from './request-deployment.ts';

export interface DeploymentRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly repoUrlPolicy: RepoUrlPolicy;
  readonly entryPoint: AppEntryPoint;
  /** The end of its lines as one text. */
  readonly readBuildLogs: (deploymentId: string) => Promise<string>;
}

export function deploymentRoutes(needs: DeploymentRouteNeeds): Operation[] {
  const { prisma, box, entryPoint } = needs;
  const view = async (row: ListedDeployment) => {
    const [waiting, steps, buildLogs] = await Promise.all([
      readWaiting(prisma, row),
      listSteps(prisma, row.id),
      needs.readBuildLogs(row.id),
    ]);
    return viewDeployment(row, { waiting, steps, buildLogs }, entryPoint);
  };

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
        return { status: 202, headers, body: await view(await readDeployment(prisma, userId, id)) };
      },
    }),

    op({
      method: 'get',
      path: '/apps/:id/deployments',
      id: 'listDeployments',
      tag: 'deployments',
      summary: 'List deployments of an app, newest first',
      auth: 'token',
      params: idParams,
      query: pageQuery,
      responses: { 200: { description: 'One page', schema: pageOf(listedDeploymentSchema) } },
      async handler({ params, query }, { caller }) {
        const limit = query.limit ?? DEFAULT_PAGE;
        const before = query.cursor === undefined ? null : sequenceOf(query.cursor);
        const rows = await listDeployments(prisma, {
          userId: caller.userId,
          appId: params.id,
          limit: limit + 1,
          before,
        });
        const page = rows.slice(0, limit);
        const last = rows.length > limit ? page.at(-1) : undefined;
        return {
          status: 200,
          body: {
            items: page.map((row) => viewListedDeployment(row, entryPoint)),
            next_cursor: last ? encodeCursor([String(last.queueSequence)]) : null,
          },
        };
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
          const row = await requestDeployment(tx, { appId: app.id, trigger: 'api' }, box);
          const action = isNew ? 'app.create' : 'deployment.request';
          const detail = { ...body, deployment_id: row.id };
          await recordAudit(tx, call, { action, object: 'app', objectId: app.id, detail });
          return { app_id: app.id, deployment_id: row.id };
        });
        return {
          status: 202,
          headers: { Location: `/api/v1/deployments/${queued.deployment_id}` },
          body: queued,
        };
      },
    }),

    op({
      method: 'get',
      path: '/deployments/:id',
      id: 'getDeployment',
      tag: 'deployments',
      summary: 'Read one deployment, with its reason and the end of its log',
      auth: 'token',
      params: idParams,
      responses: { 200: { description: 'The deployment', schema: deploymentSchema } },
      async handler({ params }, { caller }) {
        return { status: 200, body: await view(await readDeployment(prisma, caller.userId, params.id)) };
      },
    }),

    op({
      method: 'post',
      path: '/deployments/:id/cancel',
      id: 'cancelDeployment',
      tag: 'deployments',
      summary: 'Cancel a deployment that has not switched yet',
      description: 'A waiting one ends at once; one under way is `cancelled` within seconds.',
      auth: 'token',
      params: idParams,
      errors: ['not_cancellable'],
      responses: { 202: { description: 'The deployment as it is now', schema: deploymentSchema } },
      async handler({ params: { id } }, call) {
        const { userId } = call.caller;
        await prisma.$transaction(async (tx) => {
          await readDeployment(tx, userId, id);
          await cancelDeployment(tx, id);
          await recordAudit(tx, call, { action: 'deployment.cancel', object: 'deployment', objectId: id });
        });
        return { status: 202, body: await view(await readDeployment(prisma, userId, id)) };
      },
    }),
  ];
}

function sequenceOf(cursor: string): bigint {
  const [sequence = '0'] = decodeCursor(cursor, [/^\d{1,18}$/]);
  return BigInt(sequence);
}
