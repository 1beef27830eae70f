import { appRoutes } from '../apps/app-routes.ts';
import { requireApp } from '../apps/app-store.ts';
import { deleteAppsOf } from '../apps/delete-apps-of.ts';
import { auditRoutes } from '../audit/audit-routes.ts';
import { recordAudit } from '../audit/record-audit.ts';
import { authenticator } from '../auth/authenticator.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Config } from '../config/config.ts';
import type { PrismaClient } from '../db/database.ts';
import { deployKeyRoutes } from '../deploykeys/deploy-key-routes.ts';
import { stopDeploymentsOf } from '../deployments/cancel-deployment.ts';
import { readBuildLogs } from '../deployments/deployment-build-logs.ts';
import { readDeployment } from '../deployments/deployment-reads.ts';
import { deploymentRoutes } from '../deployments/deployment-routes.ts';
import { isFinished } from '../deployments/deployment-status.ts';
import { readLiveEnvironment } from '../deployments/live-environment.ts';
import { PendingChanges } from '../deployments/pending-changes.ts';
import { requestDeployment } from '../deployments/request-deployment.ts';
import { environmentSchema, variablesOf } from '../envvars/env-var-input.ts';
import { envVarRoutes } from '../envvars/env-var-routes.ts';
import { storeEnvironment } from '../envvars/env-var-store.ts';
import { createGithub } from '../github/github.ts';
import { answersOnce } from '../idempotency/answer-once.ts';
import { installationRoutes } from '../installations/installation-routes.ts';
import { repositoryRoutes } from '../installations/repository-routes.ts';
import type { Logger } from '../logger/logger.ts';
import type { LogHub } from '../logs/log-hub.ts';
import { logRoutes } from '../logs/log-routes.ts';
import { runtimeLogRoutes } from '../logs/runtime-log-routes.ts';
import type { Caller, Operation } from '../openapi/operation.ts';
import { planRoutes } from '../plans/plan-routes.ts';
import { projectRoutes } from '../projects/project-routes.ts';
import { quarantineRoutes } from '../quarantine/quarantine-routes.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { usageRoutes } from '../usage/usage-routes.ts';
import type { SocketLimits } from '../websocket/socket-limits.ts';
import { webSocketRoutes } from '../websocket/websocket-routes.ts';
import { accountOperations } from './account-operations.ts';
import { documentRoute } from './document-route.ts';
import { healthRoute } from './health-route.ts';
import type { RateLimits } from './rate-limits/rate-limits.ts';
import { referenceRoutes } from './reference-page.ts';
import { localOrigins } from './require-local.ts';
import { webhookOperations } from './webhook-operations.ts';

export interface ApiNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly logHub: LogHub;
  readonly sessions: Sessions;
  readonly limits: RateLimits;
  readonly logger: Logger;
  readonly settings: Pick<
    Config,
    | 'auth'
    | 'apiPort'
    | 'baseDomain'
    | 'httpPort'
    | 'publicUrl'
    | 'gitAllowedHosts'
    | 'gitPrivateHosts'
    | 'trustedProxies'
    | 'sessionSecret'
    | 'sessionIdleHours'
    | 'sessionMaxDays'
    | 'rateLimits'
    | 'github'
  >;
  readonly version: string;
  /** Pages of other hosts that may use the API. */
  readonly corsOrigins: readonly string[];
  /** Tests: operations beside the real ones. */
  readonly moreOperations?: readonly Operation[];
  readonly socketLimits?: Partial<SocketLimits>;
}

/** Every operation there is: what is mounted and what the document tells are this one list. */
export function operationsOf(needs: ApiNeeds): Operation[] {
  const { prisma, box, settings } = needs;
  const repoUrlPolicy = { allowedHosts: settings.gitAllowedHosts, privateHosts: settings.gitPrivateHosts };
  const entryPoint = { baseDomain: settings.baseDomain, httpPort: settings.httpPort };
  const answerOnce = answersOnce({ prisma, box });
  const pending = new PendingChanges(box);
  const github = createGithub(settings.github);
  const logNeeds = {
    prisma,
    hub: needs.logHub,
    logger: needs.logger,
    authenticate: authenticator({ prisma, sessions: needs.sessions, auth: settings.auth }),
    holdStream: (caller: Caller) => needs.limits.stream(caller),
    async findDeployment({ userId }: Caller, id: string) {
      return { isFinished: isFinished(await readDeployment(prisma, userId, id)) };
    },
    findApp: ({ userId }: Caller, id: string) => requireApp(prisma, userId, id),
  };
  const own =
    settings.auth === 'none' ? localOrigins(settings.apiPort) : [new URL(settings.publicUrl).origin];
  const origins = [...own, ...needs.corsOrigins];
  const operations = [
    ...accountOperations(needs),
    ...projectRoutes({
      prisma,
      answerOnce,
      deleteApps: (tx, call, projectId) =>
        deleteAppsOf(tx, call, { projectId, stopDeployments: stopDeploymentsOf }),
    }),
    ...appRoutes({
      prisma,
      repoUrlPolicy,
      entryPoint,
      answerOnce,
      environment: {
        schema: environmentSchema.shape.variables,
        store: (tx, appId, variables) => storeEnvironment(tx, box, appId, variablesOf({ variables })),
      },
      requestFirstDeployment: (tx, appId) => requestDeployment(tx, { appId, trigger: 'created' }, box),
      stopDeployments: stopDeploymentsOf,
      pendingChanges: (db, apps) => pending.of(db, apps),
    }),
    ...envVarRoutes({
      prisma,
      box,
      answerOnce,
      liveEnvironment: (db, appId) => readLiveEnvironment(db, box, appId),
    }),
    ...deploymentRoutes({
      prisma,
      box,
      repoUrlPolicy,
      entryPoint,
      answerOnce,
      readBuildLogs,
      pendingChanges: pending,
    }),
    ...logRoutes({
      ...logNeeds,
      recordClear: (tx, call, objectId) =>
        recordAudit(tx, call, { action: 'deployment.clear_logs', object: 'deployment', objectId }),
    }),
    ...runtimeLogRoutes({
      ...logNeeds,
      recordClear: (tx, call, objectId) =>
        recordAudit(tx, call, { action: 'app.clear_logs', object: 'app', objectId }),
    }),
    ...webSocketRoutes({ ...logNeeds, origins, limits: needs.socketLimits ?? {} }),
    ...auditRoutes({ prisma }),
    ...webhookOperations({ ...needs, answerOnce, github }),
    ...deployKeyRoutes({ prisma, box, answerOnce }),
    ...installationRoutes({ prisma, box, github }),
    ...repositoryRoutes({ prisma, box, github }),
    ...(needs.moreOperations ?? []),
    ...planRoutes({ prisma, repoUrlPolicy, answerOnce }),
    ...usageRoutes({ prisma }),
    ...quarantineRoutes({ prisma }),
    healthRoute({ prisma, version: needs.version }),
    ...referenceRoutes(),
  ];
  return [
    ...operations,
    documentRoute(operations, {
      publicUrl: settings.publicUrl,
      version: needs.version,
      auth: settings.auth,
      sessionCookie: needs.sessions.cookie.name,
    }),
  ];
}
