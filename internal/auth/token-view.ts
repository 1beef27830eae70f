import { z } from 'zod';
import type { ApiToken } from '../db/database.ts';
import { SCOPES } from '../openapi/operation.ts';
import { id, time } from '../openapi/schemas.ts';

const fields = {
  id,
  name: z.string(),
  scope: z.enum(SCOPES).meta({
    description: '`read` sees, `deploy` deploys too, `admin` does everything; each holds those before it.',
  }),
  prefix: z.string().meta({ description: 'How the token begins, to know it again.' }),
  created_at: time,
  last_used_at: time.nullable().meta({ description: 'To the minute. Null: never.' }),
  expires_at: time.nullable().meta({ description: 'Null: it lasts until it is removed.' }),
};

const example = {
  id: 'm3xk7qv5ta',
  name: 'ci',
  scope: 'deploy',
  prefix: 'berth_3fZq9L',
  created_at: '2026-11-20T10:00:00.000Z',
  last_used_at: null,
  expires_at: '2027-02-18T10:00:00.000Z',
} as const;

export const tokenSchema = z.object(fields).meta({ id: 'Token', examples: [example] });

export const newTokenAnswerSchema = z
  .object({ ...fields, token: z.string().meta({ description: 'The token itself: shown this once.' }) })
  .meta({
    id: 'TokenWithSecret',
    examples: [{ ...example, token: 'berth_3fZq9L…' }],
  });

export function viewToken(token: ApiToken): z.input<typeof tokenSchema> {
  return {
    id: token.id,
    name: token.name,
    scope: token.scope,
    prefix: token.prefix,
    created_at: token.createdAt.toISOString(),
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    expires_at: token.expiresAt?.toISOString() ?? null,
  };
}
