import type { z } from 'zod';
import { findApp, lockApp, noSuchApp } from '../apps/app-store.ts';
import type { AppEntryPoint } from '../apps/app-url.ts';
import { appSchema, viewApp } from '../apps/app-view.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import { type Call, type Operation, op } from '../openapi/operation.ts';
import { appIdParams } from '../openapi/schemas.ts';
import { resumeAutoDeploy, stopApp } from './bring-back.ts';
import type { PendingChanges } from './pending-changes.ts';

export interface AppStateRouteNeeds {
  readonly prisma: PrismaClient;
  readonly entryPoint: AppEntryPoint;
  readonly pendingChanges: PendingChanges;
}

/** What is wished of an app, and not done here: a worker does it. */
export function appStateRoutes(needs: AppStateRouteNeeds): Operation[] {
  const { prisma, entryPoint } = needs;

  const change = async (
    call: Call,
    of: { appId: string; action: string; wish: (tx: Db, appId: string) => Promise<void> },
  ): Promise<z.input<typeof appSchema>> => {
    const { appId, action } = of;
    const { userId } = call.caller;
    await prisma.$transaction(async (tx) => {
      await lockApp(tx, userId, appId);
      await of.wish(tx, appId);
      await recordAudit(tx, call, { action, object: 'app', objectId: appId });
    });
    const app = await findApp(prisma, userId, appId);
    if (!app) throw noSuchApp();
    const pending = await needs.pendingChanges.of(prisma, [app]);
    return viewApp(app, pending.get(app.id) ?? [], entryPoint);
  };

  return [
    op({
      method: 'post',
      path: '/apps/:id/stop',
      id: 'stopApp',
      tag: 'apps',
      summary: 'Stop an app',
      description:
        'Its containers finish the answers under way and are ended; it stays stopped over restarts of Docker and of ' +
        'the machine, until it is started or deployed. Deployments that have not switched yet are cancelled.',
      auth: 'token',
      scope: 'deploy',
      params: appIdParams,
      errors: ['app_deleting'],
      responses: { 202: { description: 'The app; its containers end soon', schema: appSchema } },
      async handler({ params: { id: appId } }, call) {
        return { status: 202, body: await change(call, { appId, action: 'app.stop', wish: stopApp }) };
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/resume',
      id: 'resumeApp',
      tag: 'apps',
      summary: 'Let pushes deploy the app again, which a rollback holds',
      auth: 'token',
      scope: 'deploy',
      params: appIdParams,
      errors: ['app_deleting'],
      responses: { 200: { description: 'The app', schema: appSchema } },
      async handler({ params: { id: appId } }, call) {
        const body = await change(call, { appId, action: 'app.resume', wish: resumeAutoDeploy });
        return { status: 200, body };
      },
    }),
  ];
}
