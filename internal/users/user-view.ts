import { z } from 'zod';
import type { User } from '../db/database.ts';
import { id, time } from '../openapi/schemas.ts';

export const ROLES = ['owner', 'member'] as const;

const fields = {
  id,
  name: z.string(),
  role: z
    .enum(ROLES)
    .meta({ description: '`owner` of the installation, or `member` with projects of their own.' }),
  hash: z.string().meta({ description: 'Part of the names of their networks, and of shared host names.' }),
  github_login: z.string().nullable().meta({ description: 'Null: not connected with GitHub.' }),
  last_sign_in_at: time.nullable(),
  created_at: time,
};

export const userExample = {
  id: 'h5cwq3mz7e',
  name: 'octocat',
  role: 'member',
  hash: 'k4tqzp',
  github_login: 'octocat',
  last_sign_in_at: '2026-11-21T10:04:11.000Z',
  created_at: '2026-11-02T08:30:00.000Z',
} as const;

export const userSchema = z.object(fields).meta({ id: 'User', examples: [userExample] });

export const meSchema = z
  .object({
    ...fields,
    via: z.enum(['token', 'session', 'local']).meta({ description: 'How this request was signed in.' }),
    scope: z.enum(['read', 'deploy', 'admin']).meta({ description: 'What this request may do.' }),
    github_scopes: z.array(z.string()).meta({ description: 'What GitHub lets Berth do for them.' }),
  })
  .meta({
    id: 'Me',
    examples: [{ ...userExample, via: 'session', scope: 'admin', github_scopes: ['repo'] }],
  });

/** Field by field, so that what is added to the row stays here until someone adds it here (T57). */
export function viewUser(user: User): z.input<typeof userSchema> {
  return {
    id: user.id,
    name: user.name,
    role: user.role,
    hash: user.hash,
    github_login: user.githubLogin,
    last_sign_in_at: user.lastSignInAt?.toISOString() ?? null,
    created_at: user.createdAt.toISOString(),
  };
}
