import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import { type Operation, op } from '../openapi/operation.ts';
import { deploymentIdParams } from '../openapi/schemas.ts';
import { type AppStateRouteNeeds, appStateRoutes } from './app-state-routes.ts';
import { cancelDeployment } from './cancel-deployment.ts';
import { listRoutes } from './deployment-list-routes.ts';
import { listSteps, readDeployment, readWaiting } from './deployment-reads.ts';
import { type RequestRouteNeeds, requestRoutes } from './deployment-request-routes.ts';
import { deploymentSchema, viewDeployment } from './deployment-view.ts';
import { releaseRoutes } from './release-routes.ts';

export interface DeploymentRouteNeeds extends Omit<RequestRouteNeeds, 'viewDeployment'> {
  readonly prisma: PrismaClient;
  readonly pendingChanges: AppStateRouteNeeds['pendingChanges'];
  /** The end of its lines as one text. */
  readonly readBuildLogs: (db: Db, deploymentId: string) => Promise<string>;
}

export function deploymentRoutes(needs: DeploymentRouteNeeds): Operation[] {
  const { prisma, entryPoint } = needs;
  const view = async (db: Db, userId: string, id: string) => {
    const row = await readDeployment(db, userId, id);
    // One after the other: inside a transaction there is one connection for all of them.
    const waiting = await readWaiting(db, row);
    const steps = await listSteps(db, row.id);
    const buildLogs = await needs.readBuildLogs(db, row.id);
    return viewDeployment(row, { waiting, steps, buildLogs }, entryPoint);
  };

  return [
    ...requestRoutes({ ...needs, viewDeployment: view }),

    ...listRoutes({ prisma, entryPoint }),

    ...releaseRoutes({ ...needs, viewDeployment: view }),

    ...appStateRoutes(needs),

    op({
      method: 'get',
      path: '/deployments/:id',
      id: 'getDeployment',
      tag: 'deployments',
      summary: 'Read one deployment, with its reason and the end of its log',
      auth: 'token',
      params: deploymentIdParams,
      responses: { 200: { description: 'The deployment', schema: deploymentSchema } },
      async handler({ params }, { caller }) {
        return { status: 200, body: await view(prisma, caller.userId, params.id) };
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
      scope: 'deploy',
      params: deploymentIdParams,
      errors: ['not_cancellable'],
      responses: { 202: { description: 'The deployment as it is now', schema: deploymentSchema } },
      async handler({ params: { id } }, call) {
        const { userId } = call.caller;
        await prisma.$transaction(async (tx) => {
          await readDeployment(tx, userId, id);
          await cancelDeployment(tx, id);
          await recordAudit(tx, call, { action: 'deployment.cancel', object: 'deployment', objectId: id });
        });
        return { status: 202, body: await view(prisma, userId, id) };
      },
    }),
  ];
}
