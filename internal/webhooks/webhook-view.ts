import { z } from 'zod';
import { time } from '../openapi/schemas.ts';
import type { WebhookRow } from './webhook-store.ts';

const CONTENT_TYPE = 'application/json';
const EVENTS = ['push'] as const;

const webhook = {
  url: z.string().meta({ description: 'The "Payload URL" of GitHub\'s form.' }),
  content_type: z.literal(CONTENT_TYPE),
  events: z.array(z.enum(EVENTS)),
  has_secret: z.boolean().meta({ description: 'Without one, every delivery is refused.' }),
  at_github: z.boolean().meta({
    description: 'GitHub has it: it was made there from here, or it has delivered something.',
  }),
  via_github_app: z.boolean().meta({
    description: 'Pushes come by the GitHub App already: the app needs no webhook of its own.',
  }),
  hook_id: z.int().nullable().meta({ description: "GitHub's number of it, when it was made from here." }),
  last_delivery_at: time.nullable(),
};
const example = {
  url: 'https://berth.apps.example.org/webhooks/github/k3v5ahq2xd',
  content_type: CONTENT_TYPE,
  events: [...EVENTS],
  has_secret: true,
  at_github: true,
  via_github_app: false,
  hook_id: 12_345_678,
  last_delivery_at: '2026-11-20T10:00:00.000Z',
} as const;

export const webhookSchema = z.object(webhook).meta({ id: 'Webhook', examples: [example] });

export const madeWebhookSchema = z
  .object({
    ...webhook,
    secret: z.string().nullable().meta({
      description: 'Shown this once; null when there was one already and `rotate` was not asked for.',
    }),
    by_hand: z.string().nullable().meta({
      description: 'Why it is to be set up at GitHub by hand; null when GitHub has it now.',
    }),
  })
  .meta({ id: 'MadeWebhook', examples: [{ ...example, secret: null, by_hand: null }] });

export const removedWebhookSchema = z
  .object({
    by_hand: z.string().nullable().meta({
      description: 'Why it is to be removed at GitHub by hand; null when nothing of it is left there.',
    }),
  })
  .meta({ id: 'RemovedWebhook', examples: [{ by_hand: null }] });

export function viewWebhook(
  row: WebhookRow,
  { url, viaGithubApp }: { url: string; viaGithubApp: boolean },
): z.input<typeof webhookSchema> {
  return {
    url,
    content_type: CONTENT_TYPE,
    events: [...EVENTS],
    has_secret: row.webhookSecret !== null,
    at_github: row.githubHookId !== null || row.lastDeliveryAt !== null,
    via_github_app: viaGithubApp,
    hook_id: row.githubHookId === null ? null : Number(row.githubHookId),
    last_delivery_at: row.lastDeliveryAt?.toISOString() ?? null,
  };
}
