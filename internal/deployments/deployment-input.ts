import { z } from 'zod';
import { branchName, port, repoUrl } from '../apps/app-input.ts';
import { isCommitSha } from '../apps/git-ref.ts';
import type { RepoUrlPolicy } from '../apps/repo-url.ts';
import { id } from '../openapi/schemas.ts';

const commitSha = z
  .string()
  .refine(isCommitSha, 'must be a full commit id of 40 hex digits')
  .transform((sha) => sha.toLowerCase())
  .nullable()
  .optional()
  .meta({
    type: ['string', 'null'],
    pattern: '^[0-9a-fA-F]{40}$',
    description: 'Without it: the head of the branch at the moment of the clone.',
  });

/** `POST /apps/:id/deploy`. Nothing given: the head of the app's branch. */
export const deploySchema = z
  .strictObject({
    commit_sha: commitSha,
    branch: branchName.nullable().optional().meta({ description: 'Instead of the branch of the app.' }),
    build: z
      .boolean()
      .optional()
      .meta({
        description:
          'False: the present settings with the image that runs, without a clone or a build. What only a build can ' +
          'change stays among the pending changes.',
      }),
    no_cache: z
      .boolean()
      .optional()
      .meta({
        description:
          'True: built in any case, every step anew and on base images pulled anew. Else a commit that was built with ' +
          'the same settings before, and whose image is still there, is not built again.',
      }),
  })
  .refine(({ build, branch, commit_sha: sha }) => build !== false || (branch ?? sha ?? null) === null, {
    message: 'must be left out, or true, with a branch or a commit',
    path: ['build'],
  })
  .refine(({ build, no_cache: noCache }) => build !== false || noCache !== true, {
    message: 'must be left out, or false, where nothing is built',
    path: ['no_cache'],
  })
  .meta({
    id: 'Deploy',
    examples: [
      {},
      { commit_sha: '4f2a9c0e1b7d3a5c8e6f0123456789abcdef0123' },
      { build: false },
      { no_cache: true },
    ],
  });

/** `POST /deployments`: a repository and little else. */
export function quickDeploySchema(policy: RepoUrlPolicy) {
  return z
    .strictObject({
      repo: repoUrl(policy),
      branch: branchName.nullable().optional(),
      port: port.nullable().optional(),
      project_id: id.optional().meta({ description: 'Without it: the project `default`.' }),
    })
    .meta({ id: 'QuickDeploy', examples: [{ repo: 'acme/shop', branch: 'main', port: 3000 }] });
}
