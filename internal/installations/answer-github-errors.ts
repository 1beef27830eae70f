import { AppError } from '../errors/app-error.ts';
import { GithubRefused, GithubUnavailable } from '../github/github-error.ts';

/** Does it, and tells the caller of our API what GitHub made of it. @throws AppError */
export async function answeringGithubErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GithubUnavailable) {
      throw new AppError('github_unavailable', `${error.message} Try again later.`, { cause: error });
    }
    if (!(error instanceof GithubRefused)) throw error;
    if (error.reason === 'unauthorized') throw notConnected('GitHub no longer accepts your sign-in.');
    throw new AppError('github_refused', error.message, { cause: error });
  }
}

export function notConnected(why: string): AppError {
  return new AppError('github_not_connected', `${why} Sign in with GitHub at /auth/github, then try again.`);
}
