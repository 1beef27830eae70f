import { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Operation, op } from '../openapi/operation.ts';
import {
  appIdParams,
  DEFAULT_PAGE,
  decodeCursor,
  encodeCursor,
  id as idSchema,
  pageOf,
  pageQuery,
} from '../openapi/schemas.ts';
import { defaultProject } from '../projects/project-store.ts';
import { appChangeSchema, newAppSchema, settingsOf } from './app-input.ts';
import {
  type AppPlace,
  type AppWithState,
  createApp,
  findApp,
  listApps,
  lockApp,
  markDeleting,
  noSuchApp,
  updateApp,
} from './app-store.ts';
import type { AppEntryPoint } from './app-url.ts';
import { appSchema, viewApp } from './app-view.ts';
import { APP_ALIASES } from './input-aliases.ts';
import type { RepoUrlPolicy } from './repo-url.ts';

export interface AppRouteNeeds {
  readonly prisma: PrismaClient;
  readonly repoUrlPolicy: RepoUrlPolicy;
  readonly entryPoint: AppEntryPoint;
  readonly answerOnce: AnswerOnce;
  // The rules of deployments, handed in: apps come before deployments and know nothing of them.
  readonly requestFirstDeployment: (tx: Db, appId: string) => Promise<unknown>;
  readonly pendingChanges: (app: AppWithState) => readonly string[];
  readonly stopDeployments: (tx: Db, appId: string) => Promise<void>;
}

export function appRoutes(needs: AppRouteNeeds): Operation[] {
  const { prisma } = needs;
  const view = (app: AppWithState) => viewApp(app, needs.pendingChanges(app), needs.entryPoint);
  const existing = async (userId: string, id: string, db: Db = prisma) => {
    const app = await findApp(db, userId, id);
    if (!app) throw noSuchApp();
    return app;
  };

  return [
    op({
      method: 'get',
      path: '/apps',
      id: 'listApps',
      tag: 'apps',
      summary: 'List apps, newest first',
      auth: 'token',
      query: pageQuery.extend({ name: z.string().max(100).optional() }),
      responses: { 200: { description: 'One page', schema: pageOf(appSchema) } },
      async handler({ query }, { caller }) {
        const limit = query.limit ?? DEFAULT_PAGE;
        const after = query.cursor === undefined ? null : placeOf(query.cursor);
        const { userId } = caller;
        // One more than asked for tells whether there is a next page.
        const apps = await listApps(prisma, { userId, name: query.name, limit: limit + 1, after });
        const page = apps.slice(0, limit);
        const last = apps.length > limit ? page.at(-1) : undefined;
        return { status: 200, body: { items: page.map(view), next_cursor: last ? cursorOf(last) : null } };
      },
    }),

    op({
      method: 'post',
      path: '/apps',
      id: 'createApp',
      tag: 'apps',
      summary: 'Create an app and queue its first deployment',
      auth: 'token',
      body: newAppSchema(needs.repoUrlPolicy),
      aliases: APP_ALIASES,
      takesIdempotencyKey: true,
      errors: ['name_taken', 'host_taken'],
      responses: { 201: { description: 'The app; its first deployment waits', schema: appSchema } },
      async handler({ body: { name, deploy, ...input } }, call) {
        const { userId, userHash } = call.caller;
        const { baseDomain } = needs.entryPoint;
        return needs.answerOnce(call, async (tx) => {
          const project = await defaultProject(tx, { id: userId, hash: userHash });
          const settings = { ...settingsOf(input), repoUrl: input.repo_url };
          const { id } = await createApp(tx, { name, settings, project, userHash, baseDomain });
          if (deploy) await needs.requestFirstDeployment(tx, id);
          const detail = { name, deploy, ...input };
          await recordAudit(tx, call, { action: 'app.create', object: 'app', objectId: id, detail });
          const headers = { Location: `/api/v1/apps/${id}` };
          return { status: 201 as const, headers, body: view(await existing(userId, id, tx)) };
        });
      },
    }),

    op({
      method: 'get',
      path: '/apps/:id',
      id: 'getApp',
      tag: 'apps',
      summary: 'Read one app',
      auth: 'token',
      params: appIdParams,
      responses: { 200: { description: 'The app', schema: appSchema } },
      async handler({ params }, { caller }) {
        return { status: 200, body: view(await existing(caller.userId, params.id)) };
      },
    }),

    op({
      method: 'patch',
      path: '/apps/:id',
      id: 'changeApp',
      tag: 'apps',
      summary: 'Change settings of an app',
      description: 'What the live release does not have yet is listed in `pending_changes`.',
      auth: 'token',
      params: appIdParams,
      body: appChangeSchema(needs.repoUrlPolicy),
      aliases: APP_ALIASES,
      errors: ['app_deleting'],
      responses: { 200: { description: 'The changed app', schema: appSchema } },
      async handler({ params: { id }, body }, call) {
        const { userId } = call.caller;
        await prisma.$transaction(async (tx) => {
          await lockApp(tx, userId, id);
          await updateApp(tx, id, settingsOf(body));
          await recordAudit(tx, call, { action: 'app.change', object: 'app', objectId: id, detail: body });
        });
        return { status: 200, body: view(await existing(userId, id)) };
      },
    }),

    op({
      method: 'delete',
      path: '/apps/:id',
      id: 'deleteApp',
      tag: 'apps',
      summary: 'Delete an app with its containers, images and history',
      description: 'Done by a worker: until then the app has the status `deleting`, then it answers 404.',
      auth: 'token',
      params: appIdParams,
      responses: {
        202: {
          description: 'It will be gone soon',
          schema: z.object({ id: idSchema, status: z.literal('deleting') }),
        },
      },
      async handler({ params: { id } }, call) {
        await prisma.$transaction(async (tx) => {
          const { isNew } = await markDeleting(tx, call.caller.userId, id);
          if (isNew) await recordAudit(tx, call, { action: 'app.delete', object: 'app', objectId: id });
          await needs.stopDeployments(tx, id);
        });
        return { status: 202, body: { id, status: 'deleting' as const } };
      },
    }),
  ];
}

function cursorOf(app: AppPlace): string {
  return encodeCursor([app.createdAt.toISOString(), app.id]);
}

function placeOf(cursor: string): AppPlace {
  const [createdAt = '', id = ''] = decodeCursor(cursor, [
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    /^[a-z2-7]{10}$/,
  ]);
  return { createdAt: new Date(createdAt), id };
}
