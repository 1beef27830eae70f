import { z } from 'zod';
import { type Call, type Operation, op } from '../openapi/operation.ts';
import { id as idSchema } from '../openapi/schemas.ts';
import type { Secret } from '../secrets/secret.ts';
import { OUTCOME_KINDS } from './outcome.ts';
import { DELIVERY_HEADER, EVENT_HEADER, readDelivery } from './read-delivery.ts';
import {
  columnOf,
  type Received,
  type ReceiveNeeds,
  receiveDelivery,
  type Target,
} from './receive-delivery.ts';
import { Turns } from './turns.ts';
import { requireSignature, SIGNATURE_HEADER } from './verify-signature.ts';
import { openWebhookSecret } from './webhook-secret.ts';
import { findSealedSecret } from './webhook-store.ts';

export interface ReceiveRouteNeeds extends ReceiveNeeds {
  /** Of the GitHub App. Null: there is none, and whatever comes for it is refused. */
  readonly githubAppSecret: Secret | null;
  /** Counts a signed delivery to this target. @throws AppError rate_limited */
  readonly limit: (target: string) => Promise<void>;
}

/** GitHub itself sends up to 25 MB; a push of 5 MB brings tens of thousands of paths. */
const MAX_BYTES = 5 * 1024 * 1024;

const payload = z.looseObject({}).meta({
  id: 'WebhookPayload',
  description: 'As GitHub describes the event.',
  examples: [
    {
      ref: 'refs/heads/main',
      before: '1d4d3e51a6c1b2f0c6f1c7a8b9d0e1f2a3b4c5d6',
      after: '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123',
      repository: { full_name: 'acme/shop', default_branch: 'main' },
    },
  ],
});

const receivedSchema = z
  .object({
    id: idSchema.meta({ description: 'Of the delivery here: `/deliveries/{id}`.' }),
    outcomes: z.array(
      z.object({
        app_id: idSchema.nullable(),
        outcome: z.enum(OUTCOME_KINDS),
        reason: z.string(),
        deployment_id: idSchema.nullable(),
      }),
    ),
  })
  .meta({
    id: 'Received',
    examples: [
      {
        id: 'd4v7tbq5mz',
        outcomes: [
          { app_id: 'k3v5ahq2xd', outcome: 'deployed', reason: 'push to main', deployment_id: 'q6wlnf4j3e' },
        ],
      },
    ],
  });

const shared = {
  method: 'post',
  tag: 'webhooks',
  auth: 'none',
  rawBody: {
    maxBytes: MAX_BYTES,
    content: {
      'application/json': payload,
      'application/x-www-form-urlencoded': z.object({ payload: z.string() }),
    },
  },
  headers: z.object({
    [SIGNATURE_HEADER]: z.string().meta({
      pattern: '^sha256=[0-9a-f]{64}$',
      example: `sha256=${'0'.repeat(64)}`,
      description: 'HMAC-SHA-256 of the body, by the secret of the webhook.',
    }),
    [EVENT_HEADER]: z.string().meta({ pattern: '^[a-z_]{1,50}$', example: 'push' }),
    [DELIVERY_HEADER]: z.string().meta({
      pattern: '^[A-Za-z0-9-]{1,100}$',
      example: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      description: 'Sent again with the same id, a delivery changes nothing.',
    }),
  }),
  errors: ['signature_refused', 'rate_limited'],
  responses: {
    200: { description: 'It came before; nothing is done again', schema: receivedSchema },
    202: { description: 'It is stored, and what came of it', schema: receivedSchema },
  },
} as const;

/** Where GitHub posts to. Both answer after the commit; whoever has no right signature learns nothing (T62–T65). */
export function receiveRoutes(needs: ReceiveRouteNeeds): Operation[] {
  const turns = new Turns();
  const take = async (target: Target, call: Call<null>) => {
    const key = columnOf(target);
    // Only what is signed is counted, so that nobody else can use up what an app may get.
    await needs.limit(key);
    const delivery = readDelivery(call.request, call.rawBody);
    return answer(await turns.take(key, () => receiveDelivery(needs, target, delivery, call)));
  };

  return [
    op({
      ...shared,
      path: '/webhooks/github/:appId',
      id: 'receiveAppWebhook',
      summary: 'Take a delivery of the webhook of one app',
      params: z.object({ appId: z.string().meta({ param: { example: 'k3v5ahq2xd' } }) }),
      async handler({ params: { appId } }, call) {
        const sealed = await findSealedSecret(needs.prisma, appId);
        const secret = openWebhookSecret(needs.box, appId, sealed);
        requireSignature(call.rawBody, { secret, signature: call.request.get(SIGNATURE_HEADER) });
        return take({ appId }, call);
      },
    }),

    op({
      ...shared,
      path: '/webhooks/github',
      id: 'receiveGithubAppWebhook',
      summary: 'Take a delivery of the webhook of the GitHub App',
      async handler(_input, call) {
        const secret = needs.githubAppSecret;
        requireSignature(call.rawBody, { secret, signature: call.request.get(SIGNATURE_HEADER) });
        return take('github-app', call);
      },
    }),
  ];
}

function answer({ id, isNew, outcomes }: Received) {
  const body = {
    id,
    outcomes: outcomes.map(({ appId, outcome, reason, deploymentId }) => ({
      app_id: appId,
      outcome,
      reason,
      deployment_id: deploymentId,
    })),
  };
  return isNew ? { status: 202 as const, body } : { status: 200 as const, body };
}
