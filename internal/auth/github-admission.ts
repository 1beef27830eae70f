import { z } from 'zod';
import type { GithubSettings } from '../config/config.ts';
import { AppError } from '../errors/app-error.ts';
import type { CallGithub } from '../github/call-github.ts';
import { GithubRefused, GithubUnavailable } from '../github/github-error.ts';
import type { GithubIdentity } from './github-strategy.ts';

type AllowList = Pick<GithubSettings, 'allowedUsers' | 'allowedOrgs'>;

/** What GitHub is asked for at a sign-in: who it is needs no scope, membership in an organisation this one. */
export function signInScopes({ allowedOrgs }: AllowList): string[] {
  return allowedOrgs.length > 0 ? ['read:org'] : [];
}

const membershipSchema = z.object({ state: z.string() });

/**
 * Only who is on the list: by login, or as a member of an organisation, asked of GitHub at each sign-in (T48).
 * @throws AppError sign_in_refused, github_unavailable
 */
export async function requireAllowed(
  { login, token }: GithubIdentity,
  { allowedUsers, allowedOrgs }: AllowList,
  callGithub: CallGithub,
): Promise<void> {
  if (allowedUsers.includes(login.toLowerCase())) return;
  const isMember = async (org: string): Promise<boolean> => {
    try {
      const { data } = await callGithub({
        route: 'GET /user/memberships/orgs/{org}',
        parameters: { org },
        token,
        answer: membershipSchema,
      });
      // An invitation that nobody has accepted yet is `pending`.
      return data.state === 'active';
    } catch (error) {
      if (error instanceof GithubRefused) return false;
      if (error instanceof GithubUnavailable) throw new AppError('github_unavailable', error.message);
      throw error;
    }
  };
  const memberships = await Promise.all(allowedOrgs.map(isMember));
  if (memberships.includes(true)) return;
  throw new AppError(
    'sign_in_refused',
    `${login} may not sign in here. The owner allows it by GITHUB_ALLOWED_USERS or GITHUB_ALLOWED_ORGS.`,
  );
}
