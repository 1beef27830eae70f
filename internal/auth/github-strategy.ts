import GithubPassport, { type StrategyOptions } from 'passport-github2';
import { z } from 'zod';
import type { GithubSettings } from '../config/config.ts';
import { VERSION } from '../config/version.ts';
import { Secret } from '../secrets/secret.ts';
import type { Handshakes } from './handshakes.ts';

/** Who GitHub says it is, and what it lets us do for them. */
export interface GithubIdentity {
  readonly id: bigint;
  readonly login: string;
  readonly token: Secret;
  readonly scopes: readonly string[];
}

export type OauthSettings = GithubSettings & { readonly oauth: NonNullable<GithubSettings['oauth']> };

const profileSchema = z.object({ id: z.int().positive(), login: z.string().min(1).max(100) });

const DEADLINE_MS = 10_000;

/**
 * GitHub's sign-in by passport-github2, at the addresses of our settings, with PKCE. State and verifier are kept by
 * `Handshakes`, since the library would put them into a session, which nobody has before signing in.
 */
export function githubStrategy(
  { url, apiUrl, oauth }: OauthSettings,
  handshakes: Handshakes,
  deadlineMs = DEADLINE_MS,
): GithubPassport.Strategy {
  const options: StrategyOptions = {
    clientID: oauth.clientId,
    clientSecret: oauth.clientSecret.reveal(),
    callbackURL: oauth.callbackUrl,
    authorizationURL: `${url}/login/oauth/authorize`,
    tokenURL: `${url}/login/oauth/access_token`,
    userProfileURL: `${apiUrl}/user`,
    pkce: true,
    // Its types know fewer parameters than the library passes.
    store: handshakes.stateStore() as unknown as NonNullable<StrategyOptions['store']>,
  };
  return new QuietStrategy(options, deadlineMs);
}

type Reply = (failure: { statusCode: number; data: string } | Error | null, text?: string) => void;

class QuietStrategy extends GithubPassport.Strategy {
  constructor(options: StrategyOptions, deadlineMs: number) {
    super(
      options,
      (accessToken: string, _refresh: string, granted: Granted, profile: Profile, done: Done) => {
        const { id, login } = profileSchema.parse(profile._json);
        const scopes = (granted.scope ?? '').split(/[\s,]+/).filter((scope) => scope !== '');
        const identity: GithubIdentity = { id: BigInt(id), login, token: new Secret(accessToken), scopes };
        done(null, identity);
      },
    );
    // The library's own requests wait for ever, and take a refusal (status 200 with `error`) for an answer.
    Object.assign(this._oauth2, {
      _request(
        method: string,
        url: string,
        headers: Record<string, string>,
        body: string,
        _: unknown,
        reply: Reply,
      ) {
        ask(url, {
          method,
          headers,
          ...(body ? { body } : {}),
          signal: AbortSignal.timeout(deadlineMs),
        }).then(
          ({ status, text }) =>
            status === 200 ? reply(null, text) : reply({ statusCode: status, data: text }),
          (error: Error) => reply(error),
        );
      },
    });
  }
}

interface Granted {
  readonly scope?: string;
}
interface Profile {
  readonly _json: unknown;
}
type Done = (error: unknown, identity?: GithubIdentity) => void;

async function ask(url: string, init: RequestInit): Promise<{ status: number; text: string }> {
  const headers = new Headers(init.headers);
  headers.set('accept', 'application/json');
  headers.set('user-agent', `berth/${VERSION}`);
  // Nobody sends our secret, or a token, on to somewhere else.
  const answer = await fetch(url, { ...init, headers, redirect: 'error' });
  const text = await answer.text();
  return { status: answer.ok && refusalIn(text) ? 400 : answer.status, text };
}

function refusalIn(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && 'error' in parsed;
  } catch {
    return false;
  }
}
