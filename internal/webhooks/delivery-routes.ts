import { z } from 'zod';
import { requireApp } from '../apps/app-store.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Db, PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { AnswerOnce } from '../idempotency/answer-once.ts';
import { type Caller, type Operation, op } from '../openapi/operation.ts';
import { newestFirst, pageByAge, placeOfCursor } from '../openapi/page-by-age.ts';
import {
  appIdParams,
  DEFAULT_PAGE,
  deliveryIdParams,
  pageOf,
  pageQuery,
  someOf,
} from '../openapi/schemas.ts';
import { findDelivery, listOutcomes, openPayload } from './delivery-store.ts';
import { deliverySchema, listedDeliverySchema, viewDelivery, viewListedDelivery } from './delivery-view.ts';
import type { DeployNeeds } from './deploy-push.ts';
import { OUTCOME_KINDS } from './outcome.ts';
import { parsePayload } from './read-delivery.ts';
import { replayDelivery } from './replay-delivery.ts';

export interface DeliveryRouteNeeds extends DeployNeeds {
  readonly prisma: PrismaClient;
  readonly answerOnce: AnswerOnce;
}

/** What GitHub has sent for an app, and what came of it. */
export function deliveryRoutes(needs: DeliveryRouteNeeds): Operation[] {
  const { prisma, box } = needs;
  const existing = async (db: Db, userId: string, id: string) => {
    const delivery = await findDelivery(db, userId, id);
    if (!delivery) throw new AppError('not_found', 'There is no delivery with this id.');
    return delivery;
  };
  const view = async (db: Db, { userId, scope }: Caller, id: string) => {
    const delivery = await existing(db, userId, id);
    return viewDelivery(delivery, scope === 'admin' ? parsePayload(openPayload(box, delivery)) : null);
  };

  return [
    op({
      method: 'get',
      path: '/apps/:id/deliveries',
      id: 'listDeliveries',
      tag: 'webhooks',
      summary: 'List webhook deliveries of an app with what came of them, newest first',
      description: 'Kept for 30 days.',
      auth: 'token',
      params: appIdParams,
      query: pageQuery.extend({
        outcome: someOf(OUTCOME_KINDS, 'One or more, with commas between.'),
        event: z.string().min(1).max(50).optional().meta({ description: '`push`, `ping`, …' }),
      }),
      responses: { 200: { description: 'One page', schema: pageOf(listedDeliverySchema) } },
      async handler({ params: { id: appId }, query }, { caller: { userId } }) {
        const { limit = DEFAULT_PAGE, cursor, outcome, event } = query;
        await requireApp(prisma, userId, appId);
        const page = newestFirst(placeOfCursor(cursor));
        const rows = await listOutcomes(prisma, { appId, outcome, event, page, limit: limit + 1 });
        return { status: 200, body: pageByAge(rows, limit, viewListedDelivery) };
      },
    }),

    op({
      method: 'get',
      path: '/deliveries/:id',
      id: 'getDelivery',
      tag: 'webhooks',
      summary: 'Read one webhook delivery',
      auth: 'token',
      params: deliveryIdParams,
      responses: { 200: { description: 'The delivery', schema: deliverySchema } },
      async handler({ params }, { caller }) {
        return { status: 200, body: await view(prisma, caller, params.id) };
      },
    }),

    op({
      method: 'post',
      path: '/deliveries/:id/replay',
      id: 'replayDelivery',
      tag: 'webhooks',
      summary: 'Take a webhook delivery in once more',
      description: 'By the settings of now, and for your apps only.',
      auth: 'token',
      scope: 'deploy',
      params: deliveryIdParams,
      takesIdempotencyKey: true,
      responses: { 202: { description: 'The new delivery and what came of it', schema: deliverySchema } },
      async handler({ params: { id } }, call) {
        const { caller } = call;
        return needs.answerOnce(call, async (tx) => {
          const replayed = await replayDelivery(tx, needs, await existing(tx, caller.userId, id));
          const detail = { delivery_id: replayed };
          const entry = { action: 'webhook.replay', object: 'webhook', objectId: id, detail } as const;
          await recordAudit(tx, call, entry);
          const headers = { Location: `/api/v1/deliveries/${replayed}` };
          return { status: 202 as const, headers, body: await view(tx, caller, replayed) };
        });
      },
    }),
  ];
}
