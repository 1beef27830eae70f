import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { GitRepository } from '../git-repository.ts';

/** What the stand-in for GitHub holds. Numbers are larger than 32 bits, as GitHub's may be. */

export interface Account {
  readonly id: number;
  login: string;
  readonly type: 'User' | 'Organization';
  /** Of an organisation: login of a member → role. */
  readonly members: Map<string, 'admin' | 'member'>;
}

export interface Repository {
  readonly id: number;
  readonly owner: Account;
  name: string;
  isPrivate: boolean;
  readonly collaborators: Set<string>;
  readonly git: GitRepository;
  pushedAt: Date;
}

export interface Installation {
  readonly id: number;
  readonly account: Account;
  /** Null: all repositories of the account. */
  repositories: Set<number> | null;
  permissions: Record<string, 'read' | 'write'>;
  suspendedAt: Date | null;
}

export interface Hook {
  readonly id: number;
  readonly repositoryId: number;
  readonly events: readonly string[];
  readonly config: {
    readonly url: string;
    readonly content_type: string;
    readonly secret?: string;
    readonly insecure_ssl: string;
  };
  readonly active: boolean;
}

export interface CommitStatus {
  readonly repositoryId: number;
  readonly sha: string;
  readonly state: string;
  readonly context: string;
  readonly description: string | null;
  readonly target_url: string | null;
}

export interface DeploymentStatus {
  readonly id: number;
  readonly state: string;
  readonly description: string;
  readonly environment_url: string;
  readonly log_url: string;
}

export interface Deployment {
  readonly id: number;
  readonly repositoryId: number;
  readonly sha: string;
  readonly ref: string;
  readonly task: string;
  readonly environment: string;
  readonly description: string | null;
  readonly payload: unknown;
  readonly statuses: DeploymentStatus[];
}

/** Whom a token speaks for. */
export type Actor =
  | { readonly kind: 'nobody' }
  /** By the JWT of the App. */
  | { readonly kind: 'app' }
  /** `scopes` null: a token of the App's own sign-in, which sees what the App may see too. */
  | { readonly kind: 'user'; readonly user: Account; readonly scopes: readonly string[] | null }
  | {
      readonly kind: 'installation';
      readonly installation: Installation;
      /** Null: all that the installation covers. */
      readonly repositories: ReadonlySet<number> | null;
      readonly permissions: Readonly<Record<string, 'read' | 'write'>>;
    };

/** An authorization that waits to be exchanged for a token, once. */
export interface Code {
  readonly user: Account;
  readonly scopes: readonly string[] | null;
  readonly redirectUri: string;
  readonly challenge: string | null;
}

export class World {
  readonly accounts: Account[] = [];
  readonly repositories: Repository[] = [];
  readonly installations: Installation[] = [];
  readonly hooks: Hook[] = [];
  readonly statuses: CommitStatus[] = [];
  readonly deployments: Deployment[] = [];
  readonly tokens = new Map<string, Actor>();
  readonly codes = new Map<string, Code>();
  /** Former full names, lower-case → repository: GitHub redirects them. */
  readonly formerNames = new Map<string, Repository>();
  readonly oauth = {
    clientId: 'Iv1.0123456789abcdef',
    clientSecret: randomBytes(20).toString('hex'),
    callbackUrl: null as string | null,
    /** The client is the GitHub App's own: its tokens have no scopes, and may list installations. */
    isOfApp: true,
  };
  readonly app = {
    id: 419_032,
    slug: 'berth-test',
    ...generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      // As GitHub gives it for download: PKCS#1.
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    }),
    webhookSecret: randomBytes(32).toString('hex'),
    /** Where the browser goes after an installation. */
    setupUrl: null as string | null,
  };
  /** Who sits at the browser; null: they refuse. */
  browser: Account | null = null;
  #lastId = 5_000_000_000;

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  account(login: string): Account | undefined {
    return this.accounts.find((account) => account.login.toLowerCase() === login.toLowerCase());
  }

  repository(owner: string, name: string): Repository | undefined {
    const wanted = `${owner}/${name}`.toLowerCase();
    return this.repositories.find((repository) => fullName(repository).toLowerCase() === wanted);
  }

  newToken(prefix: 'gho' | 'ghu' | 'ghs', actor: Actor): string {
    const token = `${prefix}_${randomBytes(27).toString('base64url').replaceAll(/[-_]/g, 'x')}`;
    this.tokens.set(token, actor);
    return token;
  }
}

export const fullName = (repository: Repository) => `${repository.owner.login}/${repository.name}`;
