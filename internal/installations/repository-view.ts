import { z } from 'zod';
import type { GithubBranch } from '../github/shapes.ts';
import { time } from '../openapi/schemas.ts';
import type { ListedRepository } from './browse-repositories.ts';

export const repositorySchema = z
  .object({
    full_name: z.string(),
    private: z.boolean(),
    archived: z.boolean(),
    default_branch: z.string(),
    clone_url: z.string().meta({ description: 'What `repo_url` of an app takes.' }),
    description: z.string().nullable(),
    pushed_at: time.nullable(),
    installation_id: z
      .int()
      .nullable()
      .meta({ description: 'The installation that covers it; null: by your own sign-in.' }),
  })
  .meta({
    id: 'GithubRepository',
    examples: [
      {
        full_name: 'acme/front',
        private: true,
        archived: false,
        default_branch: 'main',
        clone_url: 'https://github.com/acme/front.git',
        description: 'The shop window',
        pushed_at: '2026-11-20T10:00:00Z',
        installation_id: 957387,
      },
    ],
  });

export const branchSchema = z.object({ name: z.string(), commit_sha: z.string() }).meta({
  id: 'GithubBranch',
  examples: [{ name: 'main', commit_sha: '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123' }],
});

export function viewRepository(one: ListedRepository): z.input<typeof repositorySchema> {
  return {
    full_name: one.fullName,
    private: one.isPrivate,
    archived: one.isArchived,
    default_branch: one.defaultBranch,
    clone_url: one.cloneUrl,
    description: one.description,
    pushed_at: one.pushedAt,
    installation_id: one.installationId === null ? null : Number(one.installationId),
  };
}

export function viewBranch({ name, commitSha }: GithubBranch): z.input<typeof branchSchema> {
  return { name, commit_sha: commitSha };
}
