import { getUser, listOrganisations } from '../github/accounts.ts';
import type { Github } from '../github/github.ts';
import { GithubRefused } from '../github/github-error.ts';
import {
  type GithubPage,
  listInstallationRepositories,
  listUserRepositories,
  searchRepositories,
} from '../github/repositories.ts';
import type { GithubRepository } from '../github/shapes.ts';
import type { Secret } from '../secrets/secret.ts';
import { readGithubToken } from '../users/github-token.ts';
import { notConnected } from './answer-github-errors.ts';
import { coveredNames, type InstallationRow, listInstallations } from './installation-store.ts';
import { mayActFor, type TokenNeeds } from './repository-token.ts';

export interface ListedRepository extends GithubRepository {
  /** Null: by the user's own token. */
  readonly installationId: bigint | null;
}

/** Where a page begins: one source after the other, each in pages of GitHub's. */
export interface BrowsePlace {
  /** An installation's number, or `user`. */
  readonly source: string;
  readonly page: number;
}

interface Source {
  readonly key: string;
  read(page: number): Promise<GithubPage<ListedRepository>>;
}

/** A source may have nothing to show, and then the next one is asked; but not all of them for one answer. */
const MOST_ASKED = 5;

/**
 * Repositories that the user could deploy: of each installation of theirs, then those of their own token that no
 * installation covers; all of them, or those whose name holds the text.
 * @throws GithubUnavailable; AppError github_not_connected
 */
export async function browseRepositories(
  needs: TokenNeeds,
  of: { userId: string; text: string | null; perPage: number; place: BrowsePlace | null },
): Promise<{ items: readonly ListedRepository[]; next: BrowsePlace | null }> {
  const sources = await sourcesOf(needs, of);
  let place: BrowsePlace | null = of.place ?? { source: sources[0]?.key ?? '', page: 1 };
  for (let asked = 0; place !== null && asked < MOST_ASKED; asked += 1) {
    const { source: key, page }: BrowsePlace = place;
    const index = sources.findIndex((source) => source.key === key);
    const source = sources[index];
    if (!source) return { items: [], next: null };
    const { items, nextPage } = await readOrPassBy(source, page, sources.length);
    const following = sources[index + 1];
    if (nextPage !== null) place = { source: key, page: nextPage };
    else place = following ? { source: following.key, page: 1 } : null;
    if (items.length > 0) return { items, next: place };
  }
  return { items: [], next: place };
}

async function readOrPassBy(
  source: Source,
  page: number,
  sources: number,
): Promise<GithubPage<ListedRepository>> {
  try {
    return await source.read(page);
  } catch (error) {
    if (!(error instanceof GithubRefused)) throw error;
    // Removed or suspended, and we have not heard of it; or signed out of GitHub, which must be said when that is all.
    if (sources === 1 && source.key === 'user') throw notConnected('GitHub no longer accepts your sign-in.');
    return { items: [], nextPage: null };
  }
}

interface Wanted {
  readonly userId: string;
  readonly text: string | null;
  readonly perPage: number;
}

async function sourcesOf(needs: TokenNeeds, of: Wanted): Promise<Source[]> {
  const { prisma, box, github } = needs;
  const rows = (await listInstallations(prisma, of.userId)).filter(({ suspendedAt }) => suspendedAt === null);
  const usable = github.app ? rows : [];
  const chosen = await coveredNames(
    prisma,
    usable.map(({ id }) => id),
  );
  const own = await readGithubToken(prisma, box, of.userId);
  return [
    ...usable.map((row) => installationSource(needs, row, of, chosen)),
    ...(own && mayActFor('clone', own) ? [userSource(needs, own.token, of, isCovered(usable, chosen))] : []),
  ];
}

function installationSource(
  { github }: TokenNeeds,
  { id, accountLogin, repositorySelection }: InstallationRow,
  { text, perPage }: Wanted,
  chosen: ReadonlySet<string>,
): Source {
  const isAll = repositorySelection === 'all';
  return {
    key: String(id),
    async read(page) {
      if (!github.app) return { items: [], nextPage: null };
      const token = await github.app.token({ installationId: id, purpose: 'read', repository: null });
      const asked = { token, page, perPage };
      const found =
        text === null
          ? await listInstallationRepositories(github.call, asked)
          : await searchRepositories(github.call, asked, { text, accounts: [accountLogin] });
      // A search shows public ones too that were not chosen; private ones it shows because they were.
      const items = found.items.filter(
        ({ isPrivate, fullName }) => isAll || isPrivate || chosen.has(fullName.toLowerCase()),
      );
      return {
        items: items.map((one) => ({ ...one, installationId: id })),
        nextPage: found.nextPage,
      };
    },
  };
}

function userSource(
  { github }: TokenNeeds,
  token: Secret,
  { text, perPage }: Wanted,
  isListedBefore: (repository: GithubRepository) => boolean,
): Source {
  return {
    key: 'user',
    async read(page) {
      const asked = { token, page, perPage };
      const found =
        text === null
          ? await listUserRepositories(github.call, asked)
          : await searchRepositories(github.call, asked, { text, accounts: await accountsOf(github, token) });
      const items = found.items.filter((one) => !isListedBefore(one));
      return { items: items.map((one) => ({ ...one, installationId: null })), nextPage: found.nextPage };
    },
  };
}

/** The user and their organisations, by login. */
async function accountsOf({ call }: Github, token: Secret): Promise<string[]> {
  const [user, organisations] = await Promise.all([getUser(call, token), listOrganisations(call, token)]);
  return [user.login, ...organisations];
}

function isCovered(
  rows: readonly InstallationRow[],
  chosen: ReadonlySet<string>,
): (repository: GithubRepository) => boolean {
  const whole = rows.filter(({ repositorySelection }) => repositorySelection === 'all');
  const owners = new Set(whole.map(({ accountLogin }) => accountLogin.toLowerCase()));
  return ({ fullName }) => {
    const name = fullName.toLowerCase();
    return chosen.has(name) || owners.has(name.split('/')[0] ?? '');
  };
}
