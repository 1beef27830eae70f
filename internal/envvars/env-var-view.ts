import { z } from 'zod';
import { EnvScope } from '../db/generated/enums.ts';
import { id, time } from '../openapi/schemas.ts';
import type { EnvVariable } from './env-var.ts';
import type { OpenedEnvVar } from './env-var-store.ts';
import { differingKeys } from './plan-environment.ts';

/** What stands for every value, whatever its length. */
const MASK = '••••';

const example = {
  id: 'm4ktz7yb2q',
  key: 'DATABASE_URL',
  scope: 'runtime',
  value: MASK,
  pending: true,
  created_at: '2026-11-20T10:00:00.000Z',
  updated_at: '2026-11-20T10:05:00.000Z',
} as const;

export const variableSchema = z
  .object({
    id,
    key: z.string(),
    scope: z.enum(EnvScope),
    value: z.literal(MASK).meta({ description: 'Values are written, never read; `/env/export` tells them.' }),
    pending: z
      .boolean()
      .meta({ description: 'The live release does not have it so; the next deployment will.' }),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'EnvVar', examples: [example] });

export const environmentViewSchema = z
  .object({
    items: z.array(variableSchema),
    pending_changes: z.array(z.string()).meta({
      description:
        'Keys that differ from the live release. One that is not among the items is still set there, and was removed.',
    }),
  })
  .meta({
    id: 'Environment',
    examples: [{ items: [example], pending_changes: ['DATABASE_URL', 'OLD_KEY'] }],
  });

/** By key. Without a live release nothing is pending. */
export function viewEnvironment(
  variables: readonly OpenedEnvVar[],
  live: readonly EnvVariable[] | null,
): z.input<typeof environmentViewSchema> {
  const pending = live === null ? [] : differingKeys(variables, live);
  return {
    items: variables.map((row) => ({
      id: row.id,
      key: row.key,
      scope: row.scope,
      value: MASK,
      pending: pending.includes(row.key),
      created_at: row.createdAt.toISOString(),
      updated_at: row.updatedAt.toISOString(),
    })),
    pending_changes: pending,
  };
}
