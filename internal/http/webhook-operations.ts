import type { Config } from '../config/config.ts';
import type { PrismaClient } from '../db/database.ts';
import type { Github } from '../github/github.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { recordInstallation } from '../installations/record-installation.ts';
import type { Logger } from '../logger/logger.ts';
import type { Operation } from '../openapi/operation.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { isCoveredByApp } from '../webhooks/covered-by-app.ts';
import { deliveryRoutes } from '../webhooks/delivery-routes.ts';
import { githubHooks } from '../webhooks/github-hooks.ts';
import { receiveRoutes } from '../webhooks/receive-routes.ts';
import { webhookRoutes } from '../webhooks/webhook-routes.ts';
import type { RateLimits } from './rate-limits/rate-limits.ts';

interface WebhookNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly logger: Logger;
  readonly limits: RateLimits;
  readonly answerOnce: AnswerOnce;
  readonly github: Github;
  readonly settings: Pick<Config, 'github'>;
}

/** What GitHub tells of pushes, what came of it, and how it comes to tell. */
export function webhookOperations(needs: WebhookNeeds): Operation[] {
  const { limits } = needs;
  const { app, webhookBaseUrl } = needs.settings.github;
  const shared = { ...needs, githubUrl: needs.github.url };
  return [
    ...receiveRoutes({
      ...shared,
      githubAppSecret: app?.webhookSecret ?? null,
      recordInstallation,
      limit: (target) => limits.webhook(target),
    }),
    ...deliveryRoutes(shared),
    ...webhookRoutes({
      ...shared,
      webhookBaseUrl,
      creator: githubHooks(needs),
      isCoveredByApp: (app) => isCoveredByApp(needs, app),
    }),
  ];
}
