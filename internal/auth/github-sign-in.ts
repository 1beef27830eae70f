import type { Request, Response } from 'express';
import { Authenticator } from 'passport';
import { AppError } from '../errors/app-error.ts';
import { type GithubIdentity, githubStrategy, type OauthSettings } from './github-strategy.ts';
import type { Departure, Handshakes } from './handshakes.ts';

export interface Arrival {
  readonly identity: GithubIdentity;
  readonly departure: Departure;
}

const STRATEGY = 'github';

/** The way to GitHub and back. */
export class GithubSignIn {
  readonly #passport = new Authenticator();
  readonly #beginUrl: string;

  /** `beginUrl`: where a sign-in begins, for those who have to begin again. */
  constructor(settings: OauthSettings, handshakes: Handshakes, beginUrl: string) {
    this.#passport.use(STRATEGY, githubStrategy(settings, handshakes));
    this.#beginUrl = beginUrl;
  }

  /** Answers with a redirect to GitHub. */
  leave(
    request: Request,
    response: Response,
    { departure, scope }: { departure: Departure; scope: readonly string[] },
  ): Promise<void> {
    return new Promise((left, failed) => {
      response.once('close', left);
      const options = { session: false, scope: [...scope], state: departure as unknown as string };
      const go = this.#passport.authenticate(STRATEGY, options, failed);
      go(request, response, failed);
    });
  }

  /** Who has come back, after GitHub has confirmed it. @throws AppError sign_in_refused, github_unavailable, … */
  async arrive(request: Request, response: Response): Promise<Arrival> {
    try {
      return await new Promise<Arrival>((arrived, failed) => {
        const done = (
          error: unknown,
          identity: GithubIdentity | false,
          info: Info,
          status?: number,
        ): void => {
          if (error) failed(error);
          else if (identity) arrived({ identity, departure: info.state });
          else failed(status === 403 ? this.#unknownState() : notAllowed());
        };
        const check = this.#passport.authenticate(STRATEGY, { session: false }, done);
        check(request, response, failed);
      });
    } catch (error) {
      throw explain(error);
    }
  }

  #unknownState(): AppError {
    return new AppError(
      'sign_in_refused',
      'This browser began no such sign-in in the last ten minutes, or has ended it already. ' +
        `Begin again at ${this.#beginUrl}.`,
    );
  }
}

interface Info {
  readonly state: Departure;
}

function notAllowed(): AppError {
  return new AppError('sign_in_refused', 'You did not allow it at GitHub, so nobody is signed in.');
}

/** What the libraries throw for what GitHub does, by the names they give it; all else is not GitHub's doing. */
function explain(error: unknown): unknown {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  if (name === 'TokenError' && code !== 'bad_verification_code') {
    return new AppError(
      'github_not_configured',
      `GitHub does not accept this installation (${plain(code)}): its owner checks GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET and GITHUB_CALLBACK_URL.`,
      { cause: error },
    );
  }
  if (name === 'TokenError' || name === 'AuthorizationError') {
    return new AppError('sign_in_refused', `GitHub refused the sign-in (${plain(code)}); begin again.`);
  }
  // Two of its errors have no name: an answer without a token, and a profile that is no JSON.
  const isOfGithub =
    name === 'InternalOAuthError' || name === 'ZodError' || message?.startsWith('Failed to ');
  if (!isOfGithub) return error;
  return new AppError(
    'github_unavailable',
    'GitHub cannot be reached, or does not answer; try again later.',
    {
      cause: error,
    },
  );
}

/** Part of it comes from the address line. */
function plain(code: string | undefined): string {
  return /^[a-z_]{1,60}$/.test(code ?? '') ? String(code) : 'no reason given';
}
