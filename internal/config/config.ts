import type { Secret } from '../secrets/secret.ts';

/** Requests in a minute, and streams open at a time. */
export interface RateLimits {
  /** Of one user. */
  readonly requests: number;
  /** Deployments, rollbacks and the like that one user asks for. */
  readonly deploys: number;
  /** Sign-ins, and requests with a wrong token, from one address. */
  readonly signIns: number;
  /** Webhook deliveries to one app, or to the GitHub App. */
  readonly webhooks: number;
  readonly streamsPerUser: number;
}

export interface GithubSettings {
  /** Where people sign in, without a trailing slash: https://github.com, or a GitHub Enterprise Server. */
  readonly url: string;
  readonly apiUrl: string;
  /** Null: nobody can sign in with GitHub. */
  readonly oauth: {
    readonly clientId: string;
    readonly clientSecret: Secret;
    readonly callbackUrl: string;
  } | null;
  /** Null: there is no GitHub App. */
  readonly app: { readonly id: string; readonly privateKey: Secret; readonly webhookSecret: Secret } | null;
  /** Who may sign in, lower-case: logins, and members of organisations. */
  readonly allowedUsers: readonly string[];
  readonly allowedOrgs: readonly string[];
  /** What comes before `/{appId}` in the URL of an app's webhook. */
  readonly webhookBaseUrl: string;
}

/** Where images go beside this machine. */
export interface RegistrySettings {
  /** As it stands in the name of an image: with its port, without a scheme. */
  readonly host: string;
  /** What stands before the names of ours, such as a project of Harbor. */
  readonly project: string | null;
  /** Null: it asks nobody who they are. */
  readonly credential: { readonly user: string; readonly password: Secret } | null;
  readonly timeoutSeconds: number;
}

/** Every setting, read once at start, frozen. `.env.example` documents each; nothing else reads the environment. */
export interface Config {
  /** State of this installation: database, clones, gate files, tokens. Never inside the checkout. */
  readonly dataDir: string;
  readonly databaseUrl: Secret;
  /** `unix:///…` of a daemon on this host. */
  readonly dockerHost: string;

  /** `none`: one local user and no token; then nothing but this host reaches the API. */
  readonly auth: 'token' | 'none';
  readonly baseDomain: string;
  /** Where people reach the API, without a trailing slash. */
  readonly publicUrl: string;
  readonly apiPort: number;
  readonly apiAddress: string;
  /** The listener that serves only the fallback pages. */
  readonly fallbackPort: number;
  readonly fallbackAddress: string;
  /** Traefik's entry point for apps. */
  readonly httpPort: number;
  /** Traefik's own API, loopback only. */
  readonly traefikApiUrl: string;
  /** Where the worker writes Traefik's configuration; null: it does not. */
  readonly traefikConfigDir: string | null;

  readonly pollIntervalMs: number;
  /** Turns LISTEN/NOTIFY off; polling alone must work. */
  readonly notify: boolean;
  readonly workerConcurrency: number;
  readonly leaseSeconds: number;

  readonly workDir: string;
  /** What was fetched of repositories, for their next clone. */
  readonly mirrorDir: string;
  readonly gateDir: string;
  /** Path of a static busybox; null: found or taken out of an image at start. */
  readonly gateTool: string | null;
  /** CIDR pool from which project networks get a /24. */
  readonly networkPool: string;

  readonly encryptionKey: Secret;
  /** Keys of before, that still open what they sealed. */
  readonly oldEncryptionKeys: readonly Secret[];
  readonly sessionSecret: Secret;

  /** Host names that clones may come from; `*` = any public host. */
  readonly gitAllowedHosts: readonly string[];
  /** `host:port` of Git servers that may be private and plain HTTP (tests, `bin/up --sample`). */
  readonly gitPrivateHosts: readonly string[];
  readonly cloneTimeoutSeconds: number;
  readonly cloneMaxMb: number;

  /** Of generated Dockerfiles. */
  readonly baseImages: {
    readonly node: string;
    readonly python: string;
    readonly go: string;
    readonly static: string;
  };
  /** BuildKit with limits; null: what needs BuildKit is built by the daemon's, without. */
  readonly buildKitImage: string | null;
  /** How much of one app's builds it keeps. */
  readonly buildKitCacheMb: number;
  readonly buildTimeoutSeconds: number;
  readonly buildMemoryMb: number;
  readonly buildCpus: number;
  /** How long a build may say nothing. */
  readonly buildSilenceSeconds: number;
  /** Processes and threads of one step. */
  readonly buildPids: number;
  /** What one build may write. */
  readonly buildDiskMb: number;
  readonly contextMaxMb: number;
  /** Null: images stay on this machine. */
  readonly registry: RegistrySettings | null;
  /** No build begins with less room than this on Docker's disk, and none goes on with less than half of it. */
  readonly diskFloorMb: number;
  /** How much builds may leave behind to be quicker the next time: layers, and as much again BuildKit's caches. */
  readonly buildCacheMaxMb: number;
  /** How much of repositories is kept for their next clone; 0: nothing. */
  readonly mirrorsMaxMb: number;

  readonly gateTimeoutSeconds: number;
  /** How long an app without a health path is watched before it may go live. */
  readonly watchSeconds: number;
  readonly stopGraceSeconds: number;
  /** How long a release command may take. */
  readonly releaseTimeoutSeconds: number;

  /** Caps of one app's runtime log, and how long build logs are kept. */
  readonly runtimeLogMaxMb: number;
  readonly runtimeLogMaxDays: number;
  readonly buildLogMaxDays: number;

  readonly corsOrigins: readonly string[];
  /** Whose X-Forwarded-For is believed: addresses, CIDR, or `loopback`, `linklocal`, `uniquelocal`. */
  readonly trustedProxies: readonly string[];
  readonly sessionIdleHours: number;
  readonly sessionMaxDays: number;
  readonly rateLimits: RateLimits;
  readonly github: GithubSettings;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Tests only: the process kills itself (SIGKILL) at this named point of a deployment. */
  readonly faultAt: string | null;
}
