import type { SourceCredential, SourceCredentials } from '../engine/ports.ts';
import { GithubRefused, GithubUnavailable } from '../github/github-error.ts';
import { whichRepository } from '../github/which-repository.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import { Secret } from '../secrets/secret.ts';
import { type TokenNeeds, tokenForRepository } from './repository-token.ts';

/** The name that GitHub wants beside a token, whosever it is. */
const TOKEN_USER = 'x-access-token';

/**
 * The one place that decides what a clone is done with: a token of GitHub, for repositories of the GitHub that is set up
 * (an installation of the project's owner, else the owner's own); else the app's deploy key; else nothing, and why.
 */
export function sourceCredentials(needs: TokenNeeds): SourceCredentials {
  return {
    async find({ userId, appId, repoUrl }) {
      const byToken = await githubCredential(needs, { userId, repoUrl });
      if (byToken.kind === 'token') return byToken;
      const privateKey = appId === null ? null : await readDeployKey(needs, appId);
      return privateKey ? { kind: 'ssh_key', privateKey } : byToken;
    },
  };
}

async function githubCredential(
  needs: TokenNeeds,
  { userId, repoUrl }: { userId: string; repoUrl: string },
): Promise<Extract<SourceCredential, { kind: 'token' | 'none' }>> {
  const repository = whichRepository(repoUrl, needs.github.url);
  if (!repository) return { kind: 'none', why: 'other_host' };
  try {
    const found = await tokenForRepository(needs, { userId, repository, purpose: 'clone' });
    if (!found) return { kind: 'none', why: 'not_connected' };
    const { token, via } = found;
    return { kind: 'token', userName: TOKEN_USER, token, via, origin: new URL(repoUrl).origin };
  } catch (error) {
    // A public repository can be cloned all the same.
    if (error instanceof GithubUnavailable) return { kind: 'none', why: 'github_unavailable' };
    if (error instanceof GithubRefused) return { kind: 'none', why: 'not_connected' };
    throw error;
  }
}

async function readDeployKey({ prisma, box }: TokenNeeds, appId: string): Promise<Secret | null> {
  const app = await prisma.app.findUnique({ where: { id: appId }, select: { deployKeyPrivate: true } });
  if (!app?.deployKeyPrivate) return null;
  return new Secret(box.open(app.deployKeyPrivate, sealContext('services.deploy_key_private', appId)));
}
