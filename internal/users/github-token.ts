import type { Db } from '../db/database.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import { Secret } from '../secrets/secret.ts';

/** By which the platform acts for a user at GitHub, as that user allowed it at the sign-in. */
export interface GithubToken {
  readonly token: Secret;
  /** Of an OAuth app, such as `repo`. None: a token of the GitHub App's own sign-in, or one that only names the user. */
  readonly scopes: readonly string[];
}

/** The one of the last sign-in takes the place of those before. */
export async function storeGithubToken(
  tx: Db,
  box: SealedBox,
  of: { userId: string } & GithubToken,
): Promise<void> {
  const { userId, token, scopes } = of;
  const githubToken = box.seal(token.reveal(), sealContext('users.github_token', userId));
  await tx.user.update({ where: { id: userId }, data: { githubToken, githubScopes: [...scopes] } });
}

/** Null: the user never signed in with GitHub, or has been signed out of it. */
export async function readGithubToken(db: Db, box: SealedBox, userId: string): Promise<GithubToken | null> {
  const user = await db.user.findUnique({
    where: { id: userId },
    select: { githubToken: true, githubScopes: true },
  });
  if (!user?.githubToken) return null;
  const token = new Secret(box.open(user.githubToken, sealContext('users.github_token', userId)));
  return { token, scopes: user.githubScopes };
}
