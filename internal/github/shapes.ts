import { z } from 'zod';

/** Of what GitHub answers, the parts we use, as our own types. */

/** GitHub's numbers; Octokit reads those beyond 2^53 as bigint. */
const number = z.union([z.int().positive(), z.bigint().positive()]).transform(BigInt);

export interface GithubRepository {
  readonly id: bigint;
  /** `owner/name`, as it is written there. */
  readonly fullName: string;
  readonly isPrivate: boolean;
  readonly isArchived: boolean;
  readonly defaultBranch: string;
  readonly cloneUrl: string;
  readonly description: string | null;
  /** RFC 3339; null: nobody has pushed yet. */
  readonly pushedAt: string | null;
}

export const repository = z
  .object({
    id: number,
    full_name: z.string(),
    private: z.boolean(),
    archived: z.boolean().default(false),
    default_branch: z.string(),
    clone_url: z.string(),
    description: z.string().nullish(),
    pushed_at: z.string().nullish(),
  })
  .transform(
    (one): GithubRepository => ({
      id: one.id,
      fullName: one.full_name,
      isPrivate: one.private,
      isArchived: one.archived,
      defaultBranch: one.default_branch,
      cloneUrl: one.clone_url,
      description: one.description ?? null,
      pushedAt: one.pushed_at ?? null,
    }),
  );

export interface GithubInstallation {
  readonly id: bigint;
  readonly account: GithubAccount;
  readonly repositorySelection: 'all' | 'selected';
  readonly suspendedAt: Date | null;
  /** Of the installations of this App only. */
  readonly appId: bigint;
}

export interface GithubAccount {
  readonly id: bigint;
  readonly login: string;
  readonly type: 'User' | 'Organization';
}

const account = z.object({
  id: number,
  login: z.string(),
  type: z.enum(['User', 'Organization']),
});

/** RFC 3339; in webhooks at times seconds since 1970. */
const time = z
  .union([z.iso.datetime({ offset: true }), z.int()])
  .transform((at) => new Date(typeof at === 'number' ? at * 1000 : at));

export const installation = z
  .object({
    id: number,
    account,
    app_id: number,
    repository_selection: z.enum(['all', 'selected']),
    suspended_at: time.nullish(),
  })
  .transform(
    (one): GithubInstallation => ({
      id: one.id,
      account: one.account,
      appId: one.app_id,
      repositorySelection: one.repository_selection,
      suspendedAt: one.suspended_at ?? null,
    }),
  );

export interface CoveredRepository {
  readonly id: bigint;
  readonly fullName: string;
  readonly isPrivate: boolean;
}

/** As events of installations name a repository. */
export const coveredRepository = z
  .object({ id: number, full_name: z.string(), private: z.boolean() })
  .transform((one): CoveredRepository => ({ id: one.id, fullName: one.full_name, isPrivate: one.private }));

export interface GithubBranch {
  readonly name: string;
  readonly commitSha: string;
}

export const branch = z
  .object({ name: z.string(), commit: z.object({ sha: z.string() }) })
  .transform((one): GithubBranch => ({ name: one.name, commitSha: one.commit.sha }));

export const membership = z.object({ state: z.string(), role: z.string() });
export const organisation = z.object({ login: z.string() });
export const user = z.object({ id: number, login: z.string() });
export const app = z.object({ slug: z.string(), html_url: z.string() });
export const hook = z.object({ id: number, config: z.object({ url: z.string().optional() }) });
export const made = z.object({ id: number });
export const nothing = z.unknown();
/** A Deployment with the mark that we left in it. */
export const markedDeployment = z.object({ id: number, payload: z.unknown() });
