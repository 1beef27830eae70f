import { randomBytes } from 'node:crypto';
import { createToken } from '../../../internal/auth/token-store.ts';
import type { Db } from '../../../internal/db/database.ts';
import { newId, newUserHash } from '../../../internal/db/ids.ts';
import { SCOPES, type Scope } from '../../../internal/openapi/operation.ts';
import { askForPlan } from '../../../internal/plans/plan-store.ts';
import { storeGithubToken } from '../../../internal/users/github-token.ts';
import { signedIn } from '../browser.ts';
import { makeTenantApp, type TenantApp } from './tenant-app.ts';
import type { World } from './world.ts';

/** A member who has one of everything. All their names hold `mark`, all secrets that can be chosen hold `canary`. */
export interface Tenant extends TenantApp {
  readonly userId: string;
  readonly mark: string;
  readonly canary: string;
  readonly tokens: Readonly<Record<Scope, string>>;
  readonly sessionCookie: string;
  /** At GitHub. */
  readonly login: string;
  readonly githubToken: string;
  readonly installationId: string;
  /** A token that nobody uses. */
  readonly spareTokenId: string;
  readonly planId: string;
}

export async function makeTenant(world: World): Promise<Tenant> {
  const { api, github } = world;
  const mark = `mark${randomBytes(6).toString('hex')}`;
  const canary = `canary${randomBytes(12).toString('hex')}`;
  const login = github.addUser(mark).login;
  const installation = github.install(login);
  const githubToken = github.userToken(login, null);
  const made = await api.prisma.$transaction(async (tx) => {
    const user = await tx.user.create({
      data: { id: newId(), hash: newUserHash(), name: mark, githubLogin: login },
    });
    await storeGithubToken(tx, api.needs.box, { userId: user.id, token: githubToken, scopes: [] });
    await tx.githubInstallation.create({
      data: {
        id: BigInt(installation.id),
        accountId: BigInt(installation.account.id),
        accountLogin: login,
        accountType: 'User',
        repositorySelection: 'all',
        userId: user.id,
      },
    });
    const tokens = await makeTokens(tx, user.id);
    const spare = await createToken(tx, { userId: user.id, name: mark, scope: 'read', expiresInDays: 1 });
    const { id: planId } = await askForPlan(tx, {
      userId: user.id,
      repoUrl: `https://github.com/${mark}/shop`,
      branch: null,
      rootDirectory: '.',
      framework: 'auto',
    });
    const app = await makeTenantApp(tx, api.needs.box, {
      githubUrl: github.url,
      user,
      mark,
      canary,
    });
    return { ...app, userId: user.id, tokens, spareTokenId: spare.row.id, planId };
  });
  const { cookieHeader: sessionCookie } = await signedIn(api.app, made.tokens.admin);
  const atGithub = { login, githubToken: githubToken.reveal(), installationId: String(installation.id) };
  return { ...made, ...atGithub, mark, canary, sessionCookie };
}

async function makeTokens(tx: Db, userId: string): Promise<Record<Scope, string>> {
  const tokens: Partial<Record<Scope, string>> = {};
  for (const scope of SCOPES) {
    const { token } = await createToken(tx, { userId, name: scope, scope, expiresInDays: null });
    tokens[scope] = token.reveal();
  }
  return tokens as Record<Scope, string>;
}
