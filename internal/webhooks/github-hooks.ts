import { isGithubError } from '../github/github-error.ts';
import { type HookAccess, putHook, removeHook } from '../github/hooks.ts';
import { whichRepository } from '../github/which-repository.ts';
import { type TokenNeeds, withRepositoryToken } from '../installations/repository-token.ts';
import type { HookedApp, NotPossible, WebhookCreator } from './ports.ts';

const NO_ACCESS =
  'Berth may not set up webhooks there: install its GitHub App on the repository, or sign in with GitHub.';

/** Webhooks in repositories, by whatever token the app's owner has for them. */
export function githubHooks(needs: TokenNeeds): WebhookCreator {
  const { github } = needs;

  async function tryTo<T>(
    app: HookedApp,
    work: (access: HookAccess) => Promise<T>,
  ): Promise<T | NotPossible> {
    const repository = whichRepository(app.repoUrl, github.url);
    if (!repository) return { notPossible: `The repository is not at ${github.url}.` };
    const access = { userId: app.userId, repository, purpose: 'hooks' } as const;
    try {
      const done = await withRepositoryToken(needs, access, (token) => work({ token, repository }));
      return done ?? { notPossible: NO_ACCESS };
    } catch (error) {
      if (isGithubError(error)) return { notPossible: error.message };
      throw error;
    }
  }

  return {
    createHook: (app, hook) =>
      tryTo(app, async (access) => ({ hookId: await putHook(github.call, access, hook) })),
    removeHook: (app, hookId) =>
      tryTo(app, async (access) => {
        await removeHook(github.call, access, hookId);
        return { removed: true };
      }),
  };
}
