import { z } from 'zod';
import type { Secret } from '../secrets/secret.ts';
import type { CallGithub } from './call-github.ts';
import { GithubRefused } from './github-error.ts';
import * as shapes from './shapes.ts';

/** What GitHub says of the user whose token it is. */

const PER_PAGE = 100;
/** Nobody sees more than a thousand installations or organisations. */
const MAX_PAGES = 10;

export async function getUser(call: CallGithub, token: Secret): Promise<{ id: bigint; login: string }> {
  return (await call({ route: 'GET /user', token, answer: shapes.user })).data;
}

/**
 * The installations of our App that the user may reach. Null: the token is not of the App's own sign-in, so GitHub does
 * not tell.
 */
export async function listUserInstallations(
  call: CallGithub,
  token: Secret,
): Promise<shapes.GithubInstallation[] | null> {
  const answer = z.object({ installations: z.array(shapes.installation) });
  try {
    return await allPages(async (page) => {
      const { data, nextPage } = await call({
        route: 'GET /user/installations',
        parameters: { page, per_page: PER_PAGE },
        token,
        answer,
      });
      return { items: data.installations, nextPage };
    });
  } catch (error) {
    if (error instanceof GithubRefused && error.reason === 'forbidden') return null;
    throw error;
  }
}

/** Whether the user is an owner of that organisation. */
export async function isOrganisationOwner(
  call: CallGithub,
  { token, login }: { token: Secret; login: string },
): Promise<boolean> {
  try {
    const { data } = await call({
      route: 'GET /user/memberships/orgs/{org}',
      parameters: { org: login },
      token,
      answer: shapes.membership,
    });
    return data.state === 'active' && data.role === 'admin';
  } catch (error) {
    // Neither a stranger nor a token that may not ask is an owner.
    if (error instanceof GithubRefused && error.reason !== 'unauthorized') return false;
    throw error;
  }
}

/** Logins of the user's organisations; none when the token may not ask. */
export async function listOrganisations(call: CallGithub, token: Secret): Promise<string[]> {
  try {
    const found = await allPages(async (page) => {
      const { data, nextPage } = await call({
        route: 'GET /user/orgs',
        parameters: { page, per_page: PER_PAGE },
        token,
        answer: z.array(shapes.organisation),
      });
      return { items: data, nextPage };
    });
    return found.map(({ login }) => login);
  } catch (error) {
    if (error instanceof GithubRefused && error.reason === 'forbidden') return [];
    throw error;
  }
}

async function allPages<T>(
  read: (page: number) => Promise<{ items: readonly T[]; nextPage: number | null }>,
): Promise<T[]> {
  const all: T[] = [];
  for (let page: number | null = 1; page !== null && page <= MAX_PAGES; ) {
    const { items, nextPage } = await read(page);
    all.push(...items);
    page = nextPage;
  }
  return all;
}
