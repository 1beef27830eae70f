import { z } from 'zod';
import { changedFields } from '../audit/changed-fields.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { appIdParams, id as idSchema } from '../openapi/schemas.ts';
import { type CreateRouteNeeds, createRoutes } from './app-create-routes.ts';
import { appChangeSchema, fieldsOf, settingsOf } from './app-input.ts';
import { listRoutes } from './app-list-routes.ts';
import { type AppWithState, findApp, lockApp, markDeleting, noSuchApp, updateApp } from './app-store.ts';
import { appSchema, viewApp } from './app-view.ts';
import { APP_ALIASES } from './input-aliases.ts';

export interface AppRouteNeeds extends Omit<CreateRouteNeeds, 'viewApp'> {
  readonly prisma: PrismaClient;
  // The rules of deployments, handed in.
  /** Settings that the live release does not have yet, by app; missing: none. */
  readonly pendingChanges: (
    db: Db,
    apps: readonly AppWithState[],
  ) => Promise<ReadonlyMap<string, readonly string[]>>;
  readonly stopDeployments: (tx: Db, appIds: readonly string[]) => Promise<void>;
}

export function appRoutes(needs: AppRouteNeeds): Operation[] {
  const { prisma } = needs;
  const viewerOf = async (apps: readonly AppWithState[], db: Db = prisma) => {
    const changes = await needs.pendingChanges(db, apps);
    return (app: AppWithState) => viewApp(app, changes.get(app.id) ?? [], needs.entryPoint);
  };
  const viewOne = async (userId: string, id: string, db: Db = prisma) => {
    const app = await findApp(db, userId, id);
    if (!app) throw noSuchApp();
    return (await viewerOf([app], db))(app);
  };

  return [
    ...listRoutes({ prisma, viewerOf }),

    ...createRoutes({
      ...needs,
      viewApp: (tx, userId, id) => viewOne(userId, id, tx),
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
        return { status: 200, body: await viewOne(caller.userId, params.id) };
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
          const before = fieldsOf(await updateApp(tx, id, settingsOf(body)));
          const detail = changedFields(before, body);
          await recordAudit(tx, call, { action: 'app.change', object: 'app', objectId: id, detail });
        });
        return { status: 200, body: await viewOne(userId, id) };
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
          await needs.stopDeployments(tx, [id]);
        });
        return { status: 202, body: { id, status: 'deleting' as const } };
      },
    }),
  ];
}
