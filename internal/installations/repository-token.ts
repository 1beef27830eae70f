import type { Db } from '../db/database.ts';
import type { Github } from '../github/github.ts';
import type { InstallationTokenRequest, TokenPurpose } from '../github/github-app.ts';
import { GithubRefused, GithubUnavailable, isGithubError } from '../github/github-error.ts';
import type { RepositoryName } from '../github/which-repository.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import type { Secret } from '../secrets/secret.ts';
import { type GithubToken, readGithubToken } from '../users/github-token.ts';
import { findCandidates } from './installation-store.ts';

export interface TokenNeeds {
  readonly prisma: Db;
  readonly box: SealedBox;
  readonly github: Github;
}

export interface RepositoryAccess {
  readonly userId: string;
  readonly repository: RepositoryName;
  readonly purpose: TokenPurpose;
}

export interface RepositoryToken {
  readonly token: Secret;
  readonly via: 'installation' | 'user';
  /** Another one, after GitHub has refused this; null: there is none. */
  readonly renew: (() => Promise<Secret>) | null;
}

/**
 * By which token the platform may do that with the repository, for this user: of an installation that covers it and is
 * theirs, good for this one repository and purpose, else their own. Null: by none.
 * @throws GithubUnavailable when there may be one, and GitHub cannot be asked; GithubRefused not_granted when there would
 * be one, had the App what it needs
 */
export async function tokenForRepository(
  needs: TokenNeeds,
  access: RepositoryAccess,
): Promise<RepositoryToken | null> {
  const { found, hindrance } = await tokenOfInstallation(needs, access);
  if (found) return found;
  const own = await readGithubToken(needs.prisma, needs.box, access.userId);
  if (own && mayActFor(access.purpose, own)) return { token: own.token, via: 'user', renew: null };
  if (hindrance) throw hindrance;
  return null;
}

/**
 * Does it by such a token, and once more by a new one when GitHub no longer knows the kept one. Null: there is no token.
 * @throws GithubUnavailable, GithubRefused
 */
export async function withRepositoryToken<T>(
  needs: TokenNeeds,
  access: RepositoryAccess,
  work: (token: Secret) => Promise<T>,
): Promise<T | null> {
  const found = await tokenForRepository(needs, access);
  if (!found) return null;
  try {
    return await work(found.token);
  } catch (error) {
    const isStale = error instanceof GithubRefused && error.reason === 'unauthorized';
    if (!isStale || found.renew === null) throw error;
    return work(await found.renew());
  }
}

async function tokenOfInstallation(
  { prisma, github }: TokenNeeds,
  { userId, repository, purpose }: RepositoryAccess,
): Promise<{ found: RepositoryToken | null; hindrance: GithubUnavailable | GithubRefused | null }> {
  const { app } = github;
  let hindrance: GithubUnavailable | GithubRefused | null = null;
  if (!app) return { found: null, hindrance };
  for (const { row } of await findCandidates(prisma, userId, repository)) {
    const request: InstallationTokenRequest = {
      installationId: row.id,
      purpose,
      repository: repository.name,
    };
    try {
      const token = await app.token(request);
      const found = { token, via: 'installation', renew: () => app.renewedToken(request) } as const;
      return { found, hindrance };
    } catch (error) {
      if (!isGithubError(error)) throw error;
      // Any other refusal: it does not cover the repository, is suspended or removed.
      if (error instanceof GithubUnavailable || error.reason === 'not_granted') hindrance = error;
    }
  }
  return { found: null, hindrance };
}

/**
 * What a user's token is good for. One of an OAuth app needs `repo` for whatever is private or written; one of the GitHub
 * App's own sign-in (`ghu_`) has no scopes, and may do what the App and the user may.
 */
export function mayActFor(purpose: TokenPurpose, { token, scopes }: GithubToken): boolean {
  return purpose === 'read' || scopes.includes('repo') || token.reveal().startsWith('ghu_');
}
