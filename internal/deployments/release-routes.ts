import { z } from 'zod';
import { lockApp } from '../apps/app-store.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, Deployment, PrismaClient } from '../db/database.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Call, type Operation, op } from '../openapi/operation.ts';
import { pageByAge, placeOfCursor } from '../openapi/page-by-age.ts';
import { appIdParams, DEFAULT_PAGE, id, pageOf, pageQuery } from '../openapi/schemas.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { restartApp, rollBack, startApp } from './bring-back.ts';
import { deploymentSchema } from './deployment-view.ts';
import { listReleases } from './release-reads.ts';
import { releaseSchema, viewRelease } from './release-view.ts';

export interface ReleaseRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly answerOnce: AnswerOnce;
  readonly viewDeployment: (db: Db, userId: string, id: string) => Promise<z.input<typeof deploymentSchema>>;
}

const rollbackSchema = z
  .strictObject({
    deployment_id: id.optional().meta({
      description: 'Without it: the last release that differs from the present one, in image or settings.',
    }),
  })
  .meta({ id: 'Rollback', examples: [{}] });

const responses = { 202: { description: 'The queued deployment', schema: deploymentSchema } };

/** What went live, and ways to have it once more: without a clone, without a build, through the same gate. */
export function releaseRoutes(needs: ReleaseRouteNeeds): Operation[] {
  const { prisma, box } = needs;

  /** Locks the app, asks, and answers with what is queued. */
  const queue = (call: Call, of: { appId: string; action: string; ask: (tx: Db) => Promise<Deployment> }) =>
    needs.answerOnce(call, async (tx) => {
      const { appId, action } = of;
      const { userId } = call.caller;
      await lockApp(tx, userId, appId);
      const deployment = await of.ask(tx);
      const detail = { deployment_id: deployment.id, image_from: deployment.imageFromId };
      await recordAudit(tx, call, { action, object: 'app', objectId: appId, detail });
      const headers = { Location: `/api/v1/deployments/${deployment.id}` };
      const body = await needs.viewDeployment(tx, userId, deployment.id);
      return { status: 202 as const, headers, body };
    });

  return [
    op({
      method: 'get',
      path: '/apps/:id/releases',
      id: 'listReleases',
      tag: 'apps',
      summary: 'List releases of an app, newest first, and whether one can roll back to each',
      auth: 'token',
      params: appIdParams,
      query: pageQuery,
      responses: { 200: { description: 'One page', schema: pageOf(releaseSchema) } },
      async handler({ params, query: { limit = DEFAULT_PAGE, cursor } }, { caller: { userId } }) {
        // One more than asked for tells whether there is a next page.
        const after = placeOfCursor(cursor);
        const rows = await listReleases(prisma, { userId, appId: params.id, limit: limit + 1, after });
        return { status: 200, body: pageByAge(rows, limit, viewRelease) };
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/rollback',
      id: 'rollBackApp',
      tag: 'apps',
      summary: 'Bring an earlier release back: its image and its settings',
      description:
        'Pushes deploy nothing from then on (`auto_deploy_held_since` of the app), until `POST /apps/:id/resume`. ' +
        'What the app has stored elsewhere, such as in a database, is not rolled back.',
      auth: 'token',
      scope: 'deploy',
      params: appIdParams,
      body: rollbackSchema,
      takesIdempotencyKey: true,
      errors: ['app_deleting', 'no_release', 'rollback_impossible'],
      responses,
      async handler({ params: { id: appId }, body: { deployment_id: deploymentId } }, call) {
        const ask = (tx: Db) => rollBack(tx, appId, { deploymentId, box });
        return queue(call, { appId, action: 'app.rollback', ask });
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/restart',
      id: 'restartApp',
      tag: 'apps',
      summary: 'Replace the containers of the release that runs, without losing a request',
      description: 'A deployment of the same image with the same settings; a stopped app is started.',
      auth: 'token',
      scope: 'deploy',
      params: appIdParams,
      takesIdempotencyKey: true,
      errors: ['app_deleting', 'no_release'],
      responses,
      async handler({ params: { id: appId } }, call) {
        return queue(call, { appId, action: 'app.restart', ask: (tx) => restartApp(tx, appId, box) });
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/start',
      id: 'startApp',
      tag: 'apps',
      summary: 'Start a stopped app with the release that ran last',
      auth: 'token',
      scope: 'deploy',
      params: appIdParams,
      takesIdempotencyKey: true,
      errors: ['app_deleting', 'no_release', 'not_stopped'],
      responses,
      async handler({ params: { id: appId } }, call) {
        return queue(call, { appId, action: 'app.start', ask: (tx) => startApp(tx, appId, box) });
      },
    }),
  ];
}
