import { type Actor, recordAudit } from '../audit/record-audit.ts';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import { getUser, isOrganisationOwner, listUserInstallations } from '../github/accounts.ts';
import type { Github } from '../github/github.ts';
import type { GithubApp } from '../github/github-app.ts';
import { GithubRefused } from '../github/github-error.ts';
import { listInstallationRepositories } from '../github/repositories.ts';
import type { CoveredRepository, GithubAccount, GithubInstallation } from '../github/shapes.ts';
import type { Secret } from '../secrets/secret.ts';
import { readGithubToken } from '../users/github-token.ts';
import { notConnected } from './answer-github-errors.ts';
import {
  bindInstallation,
  listInstallations,
  listUnbound,
  putInstallation,
  replaceRepositories,
} from './installation-store.ts';
import type { TokenNeeds } from './repository-token.ts';

export type ConnectNeeds = TokenNeeds & { readonly prisma: PrismaClient };
type UserActor = Actor & { readonly caller: { readonly userId: string } };

/** So many of nobody's are held against one user at most. */
const MOST_TRIED = 50;
const PER_PAGE = 100;
const MAX_PAGES = 100;

/**
 * Makes an installation of our App this user's, after GitHub has confirmed it by the user's own token: that the user may
 * reach it, and that the account is the user's own, or an organisation of which they are an owner. Less is not enough,
 * for through it all that it covers can be read, and one who sees a single repository of it can reach it, too.
 * @throws AppError not_found, forbidden, installation_taken, github_not_connected; GithubUnavailable
 */
export async function connectInstallation(needs: ConnectNeeds, actor: UserActor, id: bigint): Promise<void> {
  const app = requireApp(needs.github);
  const token = await requireOwnToken(needs, actor.caller.userId);
  const reachable = await listUserInstallations(needs.github.call, token);
  // Null: GitHub tells only the App's own sign-in. Who owns the account, it tells in any case.
  if (reachable && !reachable.some((one) => one.id === id)) throw noSuchInstallation();
  const installation = await readInstallation(app, id);
  if (!installation) throw noSuchInstallation();
  if (!(await ownsAccount(needs.github, token, installation.account))) {
    throw new AppError(
      'forbidden',
      `Only an owner of ${installation.account.login} at GitHub may connect this installation.`,
    );
  }
  await storeConnected(needs, actor, { app, installation });
}

/**
 * Looks for installations that could be connected and are not (one was made at GitHub itself), and anew at those that
 * are.
 * @throws AppError github_not_connected; GithubUnavailable
 */
export async function connectFound(needs: ConnectNeeds, actor: UserActor): Promise<void> {
  const { userId } = actor.caller;
  const app = requireApp(needs.github);
  const token = await requireOwnToken(needs, userId);
  const mine = await listInstallations(needs.prisma, userId);
  const reachable = await listUserInstallations(needs.github.call, token);
  const others = reachable ?? (await listUnbound(needs.prisma, MOST_TRIED));
  const ids = new Set([...mine, ...others].map(({ id }) => id));
  for (const id of [...ids].slice(0, MOST_TRIED)) {
    const installation = await readInstallation(app, id);
    if (!installation || !(await ownsAccount(needs.github, token, installation.account))) continue;
    await storeConnected(needs, actor, { app, installation }).catch((error: unknown) => {
      if (!(error instanceof AppError && error.code === 'installation_taken')) throw error;
    });
  }
}

/** Reads anew what an installation of this user covers. False: they have none of this number. */
export async function refreshInstallation(
  { prisma, github }: ConnectNeeds,
  userId: string,
  id: bigint,
): Promise<boolean> {
  const app = requireApp(github);
  const isOurs = (await listInstallations(prisma, userId)).some((one) => one.id === id);
  const installation = isOurs ? await readInstallation(app, id) : null;
  if (!installation) return false;
  const repositories = await chosenRepositories(github, app, installation);
  await prisma.$transaction(async (tx) => {
    await putInstallation(tx, installation);
    if (repositories) await replaceRepositories(tx, id, repositories);
  });
  return true;
}

async function storeConnected(
  { prisma, github }: ConnectNeeds,
  actor: UserActor,
  { app, installation }: { app: GithubApp; installation: GithubInstallation },
): Promise<void> {
  const { id, account } = installation;
  const repositories = await chosenRepositories(github, app, installation);
  await prisma.$transaction(async (tx) => {
    await putInstallation(tx, installation);
    const isNew = await bindInstallation(tx, id, actor.caller.userId);
    if (repositories) await replaceRepositories(tx, id, repositories);
    if (!isNew) return;
    await recordAudit(tx, actor, {
      action: 'installation.connect',
      object: 'installation',
      objectId: String(id),
      detail: { account: account.login },
    });
  });
}

/** Null: it covers all that its account has, or nothing while it is suspended. */
async function chosenRepositories(
  { call }: Github,
  app: GithubApp,
  { id, repositorySelection, suspendedAt }: GithubInstallation,
): Promise<CoveredRepository[] | null> {
  if (repositorySelection === 'all' || suspendedAt) return null;
  const token = await app.token({ installationId: id, purpose: 'read', repository: null });
  const chosen: CoveredRepository[] = [];
  for (let page: number | null = 1; page !== null && page <= MAX_PAGES; ) {
    const { items, nextPage } = await listInstallationRepositories(call, { token, page, perPage: PER_PAGE });
    chosen.push(...items);
    page = nextPage;
  }
  return chosen;
}

async function ownsAccount({ call }: Github, token: Secret, account: GithubAccount): Promise<boolean> {
  if (account.type === 'Organization') return isOrganisationOwner(call, { token, login: account.login });
  return (await getUser(call, token)).id === account.id;
}

/** Null: our App has no such installation. */
async function readInstallation(app: GithubApp, id: bigint): Promise<GithubInstallation | null> {
  try {
    return await app.installation(id);
  } catch (error) {
    if (error instanceof GithubRefused && error.reason === 'not_found') return null;
    throw error;
  }
}

async function requireOwnToken({ prisma, box }: ConnectNeeds, userId: string): Promise<Secret> {
  const own = await readGithubToken(prisma, box, userId);
  if (!own) throw notConnected('Your account is not connected with GitHub, which has to confirm this.');
  return own.token;
}

/** @throws AppError github_not_configured */
export function requireApp({ app }: Github): GithubApp {
  if (app) return app;
  throw new AppError(
    'github_not_configured',
    'There is no GitHub App here: the owner sets GITHUB_APP_ID, GITHUB_PRIVATE_KEY and GITHUB_WEBHOOK_SECRET (docs/github.md).',
  );
}

function noSuchInstallation(): AppError {
  return new AppError('not_found', 'There is no installation with this id.');
}
