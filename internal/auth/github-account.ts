import type { Db, User } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { readGithubToken, storeGithubToken } from '../users/github-token.ts';
import { createMember, requireUser } from '../users/user-store.ts';
import type { GithubIdentity } from './github-strategy.ts';

/**
 * The account of whoever signs in, a new one for a new number. GitHub's number is the key: logins change hands, and
 * e-mail addresses prove nothing (T47). Run it inside a transaction.
 */
export async function accountOf(tx: Db, box: SealedBox, identity: GithubIdentity) {
  await takeTurns(tx, identity.id);
  const known = await tx.user.findUnique({ where: { githubId: identity.id } });
  const user = known ?? (await createMember(tx, identity.login));
  return { user: await keepIdentity(tx, box, user, identity), isNew: known === null };
}

/** Connects an account with GitHub, or brings its token up to date. @throws AppError github_account_taken, sign_in_refused */
export async function linkAccount(
  tx: Db,
  box: SealedBox,
  of: { userId: string; identity: GithubIdentity },
): Promise<User> {
  const { userId, identity } = of;
  await takeTurns(tx, identity.id);
  const user = await requireUser(tx, userId);
  if (user.githubId !== null && user.githubId !== identity.id) {
    throw new AppError(
      'sign_in_refused',
      `Your account is connected with ${user.githubLogin} at GitHub, and ${identity.login} is signed in there. ` +
        'Sign out there, or here.',
    );
  }
  const other = await tx.user.findUnique({ where: { githubId: identity.id } });
  if (other && other.id !== userId) {
    throw new AppError(
      'github_account_taken',
      `${identity.login} at GitHub has an account of its own here. Sign out and sign in with GitHub to use that one.`,
    );
  }
  return keepIdentity(tx, box, user, identity);
}

async function takeTurns(tx: Db, githubId: bigint): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${`github:${githubId}`}))`;
}

async function keepIdentity(tx: Db, box: SealedBox, user: User, identity: GithubIdentity): Promise<User> {
  const { id, login, token, scopes } = identity;
  await tx.user.update({
    where: { id: user.id },
    // Who is called as at GitHub goes on to be.
    data: { githubId: id, githubLogin: login, ...(user.name === user.githubLogin ? { name: login } : {}) },
  });
  const stored = await readGithubToken(tx, box, user.id);
  // A plain sign-in asks for less than `?scope=repo` did before, and does not take that away.
  const loses = stored?.scopes.some((scope) => !scopes.includes(scope)) ?? false;
  if (!loses) await storeGithubToken(tx, box, { userId: user.id, token, scopes });
  return requireUser(tx, user.id);
}
