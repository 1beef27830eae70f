import { z } from 'zod';
import type { WebhookDelivery, WebhookOutcome } from '../db/database.ts';
import { id, time } from '../openapi/schemas.ts';
import { OUTCOME_KINDS, type OutcomeKind } from './outcome.ts';
import type { Payload } from './read-delivery.ts';

const summary = {
  id,
  github_delivery_id: z.string().meta({ description: 'As GitHub lists it (X-GitHub-Delivery).' }),
  replay_of: id.nullable().meta({ description: 'The delivery that this one repeats.' }),
  event: z.string(),
  action: z.string().nullable(),
  repository: z.string().nullable(),
  ref: z.string().nullable(),
  commit_sha: z.string().nullable(),
  sender: z.string().nullable(),
  received_at: time,
};
const cameOf = {
  outcome: z.enum(OUTCOME_KINDS),
  reason: z.string().meta({ description: 'Why, in words: `other branch`, `no watched path changed`, …' }),
  deployment_id: id.nullable(),
};

const exampleSummary = {
  id: 'd4v7tbq5mz',
  github_delivery_id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  replay_of: null,
  event: 'push',
  action: null,
  repository: 'acme/shop',
  ref: 'refs/heads/main',
  commit_sha: '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123',
  sender: 'ada',
  received_at: '2026-11-20T10:00:00.000Z',
};
const exampleOutcome = {
  outcome: 'deployed' as const,
  reason: 'push to main',
  deployment_id: 'q6wlnf4j3e',
};

/** A delivery in the list of one app. */
export const listedDeliverySchema = z
  .object({ ...summary, ...cameOf })
  .meta({ id: 'ListedDelivery', examples: [{ ...exampleSummary, ...exampleOutcome }] });

export const deliverySchema = z
  .object({
    ...summary,
    outcomes: z
      .array(z.object({ app_id: id, ...cameOf }))
      .meta({ description: 'One for each of your apps.' }),
    payload: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'What GitHub sent; null for a token without the scope `admin`.' }),
  })
  .meta({
    id: 'Delivery',
    examples: [{ ...exampleSummary, outcomes: [{ app_id: 'k3v5ahq2xd', ...exampleOutcome }], payload: null }],
  });

type Summary = Omit<WebhookDelivery, 'payload'>;

export function viewListedDelivery(
  outcome: WebhookOutcome & { delivery: Summary },
): z.input<typeof listedDeliverySchema> {
  return { ...viewSummary(outcome.delivery), ...viewOutcome(outcome) };
}

export function viewDelivery(
  delivery: Summary & { outcomes: readonly WebhookOutcome[] },
  payload: Payload | null,
): z.input<typeof deliverySchema> {
  return {
    ...viewSummary(delivery),
    outcomes: delivery.outcomes.flatMap((outcome) =>
      outcome.appId === null ? [] : [{ app_id: outcome.appId, ...viewOutcome(outcome) }],
    ),
    payload,
  };
}

function viewSummary(delivery: Summary) {
  return {
    id: delivery.id,
    github_delivery_id: delivery.deliveryId,
    replay_of: delivery.replayOf,
    event: delivery.event,
    action: delivery.action,
    repository: delivery.repository,
    ref: delivery.ref,
    commit_sha: delivery.commitSha,
    sender: delivery.sender,
    received_at: delivery.receivedAt.toISOString(),
  };
}

function viewOutcome({ outcome, reason, deploymentId }: WebhookOutcome) {
  // Written from that set only.
  return { outcome: outcome as OutcomeKind, reason, deployment_id: deploymentId };
}
