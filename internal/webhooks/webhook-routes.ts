import { z } from 'zod';
import { lockApp, requireApp } from '../apps/app-store.ts';
import { type AuditEntry, recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Call, type Operation, op } from '../openapi/operation.ts';
import { appIdParams } from '../openapi/schemas.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import type { HookedApp, WebhookCreator } from './ports.ts';
import { newWebhookSecret, openWebhookSecret, sealWebhookSecret } from './webhook-secret.ts';
import { forgetWebhook, readWebhook, writeHook, writeSecret } from './webhook-store.ts';
import { madeWebhookSchema, removedWebhookSchema, viewWebhook, webhookSchema } from './webhook-view.ts';

export interface WebhookRouteNeeds {
  readonly prisma: PrismaClient;
  readonly box: SealedBox;
  readonly answerOnce: AnswerOnce;
  /** What comes before `/{appId}` in its URL. */
  readonly webhookBaseUrl: string;
  readonly creator: WebhookCreator;
  /** Whether pushes to its repository come by the GitHub App. */
  readonly isCoveredByApp: (app: HookedApp) => Promise<boolean>;
}

const makeSchema = z
  .strictObject({
    rotate: z.boolean().default(false).meta({ description: 'Make a new secret; the old one ends at once.' }),
  })
  .meta({ id: 'MakeWebhook', examples: [{}, { rotate: true }] });

/** An app's own webhook: its URL and secret, and the webhook in its repository. */
export function webhookRoutes(needs: WebhookRouteNeeds): Operation[] {
  const { prisma, box, creator } = needs;
  const urlOf = (appId: string) => `${needs.webhookBaseUrl}/${appId}`;

  const view = async (userId: string, id: string) => {
    const webhook = await readWebhook(prisma, id);
    const viaGithubApp = await needs.isCoveredByApp({ id, userId, repoUrl: webhook.repoUrl });
    return viewWebhook(webhook, { url: urlOf(id), viaGithubApp });
  };

  /** @returns why GitHub has it not; null: it has */
  const createAtGithub = async (call: Call, appId: string): Promise<string | null> => {
    const { repoUrl, webhookSecret, githubHookId } = await readWebhook(prisma, appId);
    const secret = openWebhookSecret(box, appId, webhookSecret);
    if (!secret) return 'The secret was removed meanwhile.';
    const app = { id: appId, userId: call.caller.userId, repoUrl };
    const created = await creator.createHook(app, { url: urlOf(appId), secret });
    if ('notPossible' in created) return created.notPossible;
    if (created.hookId !== githubHookId) {
      await prisma.$transaction(async (tx) => {
        await writeHook(tx, appId, created.hookId);
        await recordAudit(tx, call, entry('webhook.create_at_github', appId));
      });
    }
    return null;
  };

  return [
    op({
      method: 'get',
      path: '/apps/:id/webhook',
      id: 'getWebhook',
      tag: 'webhooks',
      summary: 'Read what the webhook of an app must be at GitHub',
      auth: 'token',
      params: appIdParams,
      responses: { 200: { description: 'The webhook, without its secret', schema: webhookSchema } },
      async handler({ params: { id } }, { caller }) {
        await requireApp(prisma, caller.userId, id);
        return { status: 200, body: await view(caller.userId, id) };
      },
    }),

    op({
      method: 'post',
      path: '/apps/:id/webhook',
      id: 'makeWebhook',
      tag: 'webhooks',
      summary: 'Make the webhook of an app, at GitHub too where that is possible',
      description:
        'Asked again, what is there is kept, and what GitHub lacks is made. Where `by_hand` says so, copy `url` and ' +
        '`secret` into Settings → Webhooks of the repository.',
      auth: 'token',
      params: appIdParams,
      body: makeSchema,
      takesIdempotencyKey: true,
      errors: ['app_deleting'],
      responses: {
        200: { description: 'The webhook, whose secret is as it was', schema: madeWebhookSchema },
        201: { description: 'The webhook, with its new secret', schema: madeWebhookSchema },
      },
      async handler({ params: { id }, body: { rotate } }, call) {
        const made = await needs.answerOnce(call, async (tx) => {
          await lockApp(tx, call.caller.userId, id);
          const { webhookSecret } = await readWebhook(tx, id);
          if (webhookSecret !== null && !rotate) return { status: 200 as const, body: { secret: null } };
          const secret = newWebhookSecret();
          await writeSecret(tx, id, sealWebhookSecret(box, id, secret));
          await recordAudit(tx, call, entry(webhookSecret ? 'webhook.rotate' : 'webhook.create', id));
          return { status: 201 as const, body: { secret: secret.reveal() } };
        });
        // After the commit, for GitHub may take its time; asked once more it finds what is there.
        const byHand = await createAtGithub(call, id);
        const webhook = await view(call.caller.userId, id);
        return { ...made, body: { ...webhook, ...made.body, by_hand: byHand } };
      },
    }),

    op({
      method: 'delete',
      path: '/apps/:id/webhook',
      id: 'removeWebhook',
      tag: 'webhooks',
      summary: 'Remove the webhook of an app, at GitHub too where that is possible',
      auth: 'token',
      params: appIdParams,
      responses: { 200: { description: 'Its deliveries are refused now', schema: removedWebhookSchema } },
      async handler({ params: { id } }, call) {
        const { userId } = call.caller;
        await requireApp(prisma, userId, id);
        const { repoUrl, githubHookId, lastDeliveryAt } = await readWebhook(prisma, id);
        // First there: killed in between, the next try still knows the number.
        const removed = githubHookId && (await creator.removeHook({ id, userId, repoUrl }, githubHookId));
        await prisma.$transaction(async (tx) => {
          await forgetWebhook(tx, id);
          await recordAudit(tx, call, entry('webhook.remove', id));
        });
        const madeByHand = lastDeliveryAt && !removed ? 'It was set up there by hand.' : null;
        const byHand = removed && 'notPossible' in removed ? removed.notPossible : madeByHand;
        return { status: 200, body: { by_hand: byHand } };
      },
    }),
  ];
}

function entry(action: string, appId: string): AuditEntry {
  return { action, object: 'webhook', objectId: appId };
}
