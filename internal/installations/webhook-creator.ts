import { isGithubError } from '../github/github-error.ts';
import { putHook, removeHook } from '../github/hooks.ts';
import { type RepositoryName, whichRepository } from '../github/which-repository.ts';
import type { Secret } from '../secrets/secret.ts';
import { type TokenNeeds, withRepositoryToken } from './repository-token.ts';

interface HookedApp {
  readonly userId: string;
  readonly repoUrl: string;
}
/** One sentence for a person. */
interface NotPossible {
  readonly notPossible: string;
}

/** Webhooks in repositories, made as the owner of the app may make them. What GitHub answers comes back in words. */
export function webhookCreator(needs: TokenNeeds) {
  const { call, url: githubUrl } = needs.github;

  const byToken = async <T>(
    { userId, repoUrl }: HookedApp,
    work: (access: { token: Secret; repository: RepositoryName }) => Promise<T>,
  ): Promise<T | NotPossible> => {
    const repository = whichRepository(repoUrl, githubUrl);
    if (!repository) return { notPossible: `The repository is not at ${new URL(githubUrl).host}.` };
    try {
      const access = { userId, repository, purpose: 'hooks' } as const;
      const done = await withRepositoryToken(needs, access, (token) => work({ token, repository }));
      return (
        done ?? {
          notPossible: 'No connected GitHub account or installation may set up webhooks of this repository.',
        }
      );
    } catch (error) {
      if (isGithubError(error)) return { notPossible: error.message };
      throw error;
    }
  };

  return {
    createHook: (app: HookedApp, hook: { readonly url: string; readonly secret: Secret }) =>
      byToken(app, async (access) => ({ hookId: await putHook(call, access, hook) })),
    removeHook: (app: HookedApp, hookId: bigint) =>
      byToken(app, async (access) => {
        await removeHook(call, access, hookId);
        return { removed: true as const };
      }),
  };
}
