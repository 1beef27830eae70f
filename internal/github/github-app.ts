import type { createAppAuth } from '@octokit/auth-app';
import type { GithubSettings } from '../config/config.ts';
import { Secret } from '../secrets/secret.ts';
import { type CallGithub, type CallOptions, explainFailure, octokitFor } from './call-github.ts';
import { GithubUnavailable } from './github-error.ts';
import * as shapes from './shapes.ts';

/** What a token of an installation may be used for; less than the App has been granted. */
export type TokenPurpose = 'clone' | 'read' | 'hooks' | 'statuses' | 'deployments';

const PERMISSIONS: Readonly<Record<TokenPurpose, Readonly<Record<string, 'read' | 'write'>>>> = {
  clone: { contents: 'read' },
  read: { metadata: 'read', contents: 'read' },
  hooks: { repository_hooks: 'write' },
  statuses: { statuses: 'write' },
  deployments: { deployments: 'write' },
};

export interface InstallationTokenRequest {
  readonly installationId: bigint;
  readonly purpose: TokenPurpose;
  /** Name of the one repository it is for. Null: all that the installation covers. */
  readonly repository: string | null;
}

/** A token that has less than this left is renewed: a clone may fetch again after minutes. */
const LEAST_LEFT_MS = 5 * 60_000;

type AppAuth = ReturnType<typeof createAppAuth>;

interface AppSettings extends CallOptions {
  readonly app: NonNullable<GithubSettings['app']>;
}

/** The GitHub App: asks as itself, and for tokens of its installations, which it keeps until they end. */
export class GithubApp {
  readonly #settings: AppSettings;
  readonly #call: CallGithub;
  #auth: Promise<AppAuth> | null = null;

  constructor(settings: AppSettings, call: CallGithub) {
    this.#settings = settings;
    this.#call = call;
  }

  /** Where people install it, without a trailing slash. */
  async pageUrl(): Promise<string> {
    const { data } = await this.#call({ route: 'GET /app', token: await this.#jwt(), answer: shapes.app });
    return data.html_url.replace(/\/+$/, '');
  }

  async installation(id: bigint): Promise<shapes.GithubInstallation> {
    const { data } = await this.#call({
      route: 'GET /app/installations/{installation_id}',
      parameters: { installation_id: String(id) },
      token: await this.#jwt(),
      answer: shapes.installation,
    });
    return data;
  }

  /**
   * @throws GithubRefused not_found: it was removed; forbidden: it is suspended; invalid: the repository is not covered;
   * not_granted: what the purpose needs
   */
  async token(request: InstallationTokenRequest): Promise<Secret> {
    const kept = await this.#installationToken(request, false);
    const isFresh = Date.parse(kept.expiresAt) - Date.now() > LEAST_LEFT_MS;
    return new Secret((isFresh ? kept : await this.#installationToken(request, true)).token);
  }

  /** After GitHub has refused a kept one: it was revoked. */
  async renewedToken(request: InstallationTokenRequest): Promise<Secret> {
    return new Secret((await this.#installationToken(request, true)).token);
  }

  async #installationToken(of: InstallationTokenRequest, refresh: boolean) {
    const { installationId, purpose, repository } = of;
    if (installationId > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new GithubUnavailable('The number of the installation is too large.');
    }
    const auth = await this.#authenticator();
    return auth({
      type: 'installation',
      installationId: Number(installationId),
      permissions: { ...PERMISSIONS[purpose] },
      ...(repository === null ? {} : { repositoryNames: [repository] }),
      refresh,
    }).catch((error: unknown) => {
      throw explainFailure(error);
    });
  }

  async #jwt(): Promise<Secret> {
    const auth = await this.#authenticator();
    return new Secret((await auth({ type: 'app' })).token);
  }

  /** Loaded when it is needed: it takes 8 MB, and most installations have no App. */
  #authenticator(): Promise<AppAuth> {
    this.#auth ??= import('@octokit/auth-app').then(({ createAppAuth }) =>
      createAppAuth({
        appId: this.#settings.app.id,
        privateKey: this.#settings.app.privateKey.reveal(),
        request: octokitFor(this.#settings),
        log: { warn: () => undefined },
      }),
    );
    return this.#auth;
  }
}
