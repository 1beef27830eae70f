import { z } from 'zod';
import { time } from '../openapi/schemas.ts';
import type { InstallationRow } from './installation-store.ts';

export const installationId = z
  .string()
  .regex(/^\d{1,15}$/)
  .meta({ param: { example: '957387' } });

export const installationSchema = z
  .object({
    id: z.int(),
    account: z.object({ login: z.string(), type: z.enum(['User', 'Organization']) }),
    covers: z
      .enum(['all', 'selected'])
      .meta({ description: 'All repositories of the account, or chosen ones.' }),
    suspended: z.boolean(),
    manage_url: z.string().meta({ description: 'Where its repositories are chosen, at GitHub.' }),
    created_at: time,
  })
  .meta({
    id: 'Installation',
    description: 'An installation of the GitHub App that is connected with your account here.',
    examples: [
      {
        id: 957387,
        account: { login: 'acme', type: 'Organization' },
        covers: 'selected',
        suspended: false,
        manage_url: 'https://github.com/organizations/acme/settings/installations/957387',
        created_at: '2026-11-20T10:00:00.000Z',
      },
    ],
  });

export function viewInstallation(
  row: InstallationRow,
  githubUrl: string,
): z.input<typeof installationSchema> {
  const isUser = row.accountType === 'User';
  const settings = isUser ? 'settings' : `organizations/${row.accountLogin}/settings`;
  return {
    id: Number(row.id),
    account: { login: row.accountLogin, type: isUser ? 'User' : 'Organization' },
    covers: row.repositorySelection === 'all' ? 'all' : 'selected',
    suspended: row.suspendedAt !== null,
    manage_url: `${githubUrl}/${settings}/installations/${row.id}`,
    created_at: row.createdAt.toISOString(),
  };
}
