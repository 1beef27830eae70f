import express, { type Express } from 'express';
import helmet from 'helmet';
import { appRoutes } from '../apps/app-routes.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { Config } from '../config/config.ts';
import type { PrismaClient } from '../db/database.ts';
import { openSnapshot, pendingChanges, releaseConfigOf } from '../deployments/config-snapshot.ts';
import { wakeWorkers } from '../deployments/deployment-queue.ts';
import { deploymentRoutes } from '../deployments/deployment-routes.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import type { Logger } from '../logger/logger.ts';
import { mountOperations } from '../openapi/mount-operations.ts';
import type { Operation } from '../openapi/operation.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { answerErrors, answerNotFound } from './answer-errors.ts';
import { allowOrigins } from './cors.ts';
import { documentRoute, healthRoute } from './platform-routes.ts';
import { logRequests } from './request-log.ts';

export interface AppNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly logger: Logger;
  readonly settings: Pick<
    Config,
    'baseDomain' | 'httpPort' | 'publicUrl' | 'gitAllowedHosts' | 'gitPrivateHosts' | 'corsOrigins'
  >;
  readonly version: string;
  /** The end of a deployment's lines as one text. */
  readonly readBuildLogs: (deploymentId: string) => Promise<string>;
  /** Operations built elsewhere: the logs'. */
  readonly moreOperations?: readonly Operation[];
  /** Tests: an answer that its own schema refuses is an error. */
  readonly checkAnswers?: boolean;
}

/** The API as an Express app, without a port. Everything it works with comes in here. */
export function createApp(needs: AppNeeds): Express {
  const { prisma, settings } = needs;
  const app = express();
  app.set('query parser', 'simple');
  // The proxy on this host tells the client's address; nobody else is believed (T53).
  app.set('trust proxy', 'loopback');
  app.disable('x-powered-by');
  app.disable('etag');

  app.use(logRequests(needs.logger));
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      strictTransportSecurity: settings.publicUrl.startsWith('https:'),
    }),
  );
  app.use(allowOrigins(settings.corsOrigins));

  const router = mountOperations(operationsOf(needs), {
    authenticate: (request) => authenticate(prisma, request.get('authorization')),
    checkAnswers: needs.checkAnswers ?? false,
  });
  app.use('/api/v1', router);
  app.use(router);
  app.use(answerNotFound);
  app.use(answerErrors);
  return app;
}

/** Every operation there is: what is mounted and what the document tells are this one list. */
export function operationsOf(needs: AppNeeds): Operation[] {
  const { prisma, box, settings } = needs;
  const repoUrlPolicy = { allowedHosts: settings.gitAllowedHosts, privateHosts: settings.gitPrivateHosts };
  const entryPoint = { baseDomain: settings.baseDomain, httpPort: settings.httpPort };
  const operations = [
    ...appRoutes({
      prisma,
      repoUrlPolicy,
      entryPoint,
      requestFirstDeployment: (tx, appId) => requestDeployment(tx, { appId, trigger: 'created' }, box),
      wakeWorkers,
      pendingChanges(app) {
        if (!app.liveDeployment) return [];
        const { id, configSnapshot } = app.liveDeployment;
        const hosts = app.hosts.map(({ host }) => host);
        return pendingChanges(releaseConfigOf(app, hosts), openSnapshot(box, id, configSnapshot));
      },
    }),
    ...deploymentRoutes({ prisma, box, repoUrlPolicy, entryPoint, readBuildLogs: needs.readBuildLogs }),
    ...(needs.moreOperations ?? []),
    healthRoute(prisma),
  ];
  return [
    ...operations,
    documentRoute(operations, { publicUrl: settings.publicUrl, version: needs.version }),
  ];
}
