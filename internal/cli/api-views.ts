import type { z } from 'zod';
import type { appSchema } from '../apps/app-view.ts';
import type { newTokenAnswerSchema, tokenSchema } from '../auth/token-view.ts';
import type { deploymentSchema, listedDeploymentSchema } from '../deployments/deployment-view.ts';
import type { releaseSchema } from '../deployments/release-view.ts';
import type { environmentViewSchema, variableSchema } from '../envvars/env-var-view.ts';
import type { lineSchema } from '../logs/log-view.ts';
import type { projectSchema } from '../projects/project-view.ts';
import type { listedDeliverySchema } from '../webhooks/delivery-view.ts';
import type { madeWebhookSchema, removedWebhookSchema, webhookSchema } from '../webhooks/webhook-view.ts';

/** What the API answers with: the very schemas it answers by, as types only. */
export type App = z.output<typeof appSchema>;
export type Release = z.output<typeof releaseSchema>;
export type Deployment = z.output<typeof deploymentSchema>;
export type ListedDeployment = z.output<typeof listedDeploymentSchema>;
export type Project = z.output<typeof projectSchema>;
export type Token = z.output<typeof tokenSchema>;
export type NewToken = z.output<typeof newTokenAnswerSchema>;
export type EnvVar = z.output<typeof variableSchema>;
export type Environment = z.output<typeof environmentViewSchema>;
export type Webhook = z.output<typeof webhookSchema>;
export type MadeWebhook = z.output<typeof madeWebhookSchema>;
export type RemovedWebhook = z.output<typeof removedWebhookSchema>;
export type ListedDelivery = z.output<typeof listedDeliverySchema>;
export type LogLine = z.output<typeof lineSchema>;

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** A change of a deployment's state, as it stands among the lines of its log. */
export interface StatusChange {
  readonly status: string;
  readonly step: string | null;
  readonly failure_code?: string;
  readonly failure_reason?: string | null;
}
