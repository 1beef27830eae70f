import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import type { GithubSettings } from '../../internal/config/config.ts';
import type { GitHttpServer } from '../../internal/host/git-http-server.ts';
import { Secret } from '../../internal/secrets/secret.ts';
import { accountRoutes } from './fake-github/account-routes.ts';
import { notFound, sendRefusals } from './fake-github/answers.ts';
import { type Fault, Faults } from './fake-github/faults.ts';
import { gitRoutes } from './fake-github/git-routes.ts';
import { reportRoutes } from './fake-github/report-routes.ts';
import { repositoryRoutes } from './fake-github/repository-routes.ts';
import type { Addresses } from './fake-github/shapes.ts';
import { ALL_PERMISSIONS, signInRoutes } from './fake-github/sign-in-routes.ts';
import { whoAsks } from './fake-github/who-asks.ts';
import {
  type Account,
  type CommitStatus,
  type Deployment,
  fullName,
  type Hook,
  type Installation,
  type Repository,
  World,
} from './fake-github/world.ts';
import { createGitRepository, type Files, serveGit } from './git-repository.ts';

export { webhookExamples } from './fake-github/shapes.ts';
export type { Account, Fault, Installation, Repository };

/** A request that GitHub got, as it came. */
export interface SeenRequest {
  /** `GET /user/repos`: API paths without their prefix, others as they are. */
  readonly route: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

const API = '/api/v3';

/**
 * A stand-in for GitHub on loopback, laid out as GitHub Enterprise Server is (its API under /api/v3): sign-in, the REST
 * API that we use, Git over HTTP. Shapes, rules and errors are GitHub's own. It can be told to fail.
 */
export class FakeGithub implements Addresses {
  readonly url: string;
  /** `127.0.0.1:port`, for GIT_PRIVATE_HOSTS. */
  readonly host: string;
  readonly world = new World();
  readonly requests: SeenRequest[] = [];
  readonly #faults = new Faults();
  readonly #server: Server;
  readonly #git: { folder: string; server: GitHttpServer };

  static async start(): Promise<FakeGithub> {
    const folder = await mkdtemp('/tmp/berth-github-');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeGithub(server, { folder, server: await serveGit(folder) });
  }

  private constructor(server: Server, git: { folder: string; server: GitHttpServer }) {
    this.#server = server;
    this.#git = git;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.url = `http://${this.host}`;

    const app = express();
    app.disable('etag');
    app.use(gitOrJson(express.json({ type: '*/json' })));
    app.use((request, _response, next) => {
      this.requests.push({
        route: routeOf(request),
        query: Object.fromEntries(new URL(request.originalUrl, this.url).searchParams),
        headers: request.headers,
        body: request.body as unknown,
      });
      next();
    });
    app.use(this.#faults.middleware(routeOf));
    app.use(gitRoutes(this.world, git.server));
    app.use(signInRoutes(this.world));
    const api = express.Router();
    api.use(whoAsks(this.world), accountRoutes(this.world, this));
    api.use(repositoryRoutes(this.world, this), reportRoutes(this.world, this));
    api.use(() => {
      throw notFound();
    });
    app.use(API, api);
    app.use(sendRefusals);
    server.on('request', app);
  }

  get apiUrl(): string {
    return `${this.url}${API}`;
  }

  // ------------------------------------------------------------ how the product is set up for it

  /** As `loadConfig` would read them. */
  settings(
    more: { allowedUsers?: readonly string[]; allowedOrgs?: readonly string[] } & { publicUrl?: string } = {},
  ): GithubSettings {
    const { oauth, app } = this.world;
    const { publicUrl = 'http://berth.apps.test:8000', allowedUsers = [], allowedOrgs = [] } = more;
    return {
      url: this.url,
      apiUrl: this.apiUrl,
      oauth: {
        clientId: oauth.clientId,
        clientSecret: new Secret(oauth.clientSecret),
        callbackUrl: `${publicUrl}/auth/github/callback`,
      },
      app: {
        id: String(app.id),
        privateKey: new Secret(app.privateKey),
        webhookSecret: new Secret(app.webhookSecret),
      },
      allowedUsers,
      allowedOrgs,
      webhookBaseUrl: `${publicUrl}/webhooks/github`,
    };
  }

  /** The same as environment variables of the programs. */
  environment(): Record<string, string> {
    const { oauth, app } = this.world;
    return {
      GITHUB_URL: this.url,
      GITHUB_CLIENT_ID: oauth.clientId,
      GITHUB_CLIENT_SECRET: oauth.clientSecret,
      GITHUB_APP_ID: String(app.id),
      GITHUB_PRIVATE_KEY: app.privateKey.replaceAll('\n', '\\n'),
      GITHUB_WEBHOOK_SECRET: app.webhookSecret,
    };
  }

  // ------------------------------------------------------------ who and what is there

  addUser(login: string): Account {
    return this.#addAccount(login, 'User');
  }

  addOrganisation(login: string, members: Readonly<Record<string, 'admin' | 'member'>> = {}): Account {
    const organisation = this.#addAccount(login, 'Organization');
    for (const [member, role] of Object.entries(members)) organisation.members.set(member, role);
    return organisation;
  }

  /** Who sits at the browser from now on; null: they refuse. */
  signIn(login: string | null): void {
    this.world.browser = login === null ? null : this.#account(login);
  }

  /** A user's token, of an OAuth app with these scopes; `null`: of the App's own sign-in. */
  userToken(login: string, scopes: readonly string[] | null): Secret {
    const actor = { kind: 'user', user: this.#account(login), scopes } as const;
    return new Secret(this.world.newToken(scopes === null ? 'ghu' : 'gho', actor));
  }

  revoke(token: Secret): void {
    this.world.tokens.delete(token.reveal());
  }

  /** Every token that was given out, as if the App's key and all grants were renewed. */
  revokeAll(): void {
    this.world.tokens.clear();
  }

  async addRepository(
    name: string,
    options: { files?: Files; isPrivate?: boolean; collaborators?: readonly string[] } = {},
  ): Promise<Repository> {
    const [owner = '', repositoryName = ''] = name.split('/');
    const id = this.world.nextId();
    const git = await createGitRepository(options.files ?? {}, {
      folder: this.#git.folder,
      name: `r${id}.git`,
    });
    const repository: Repository = {
      id,
      owner: this.#account(owner),
      name: repositoryName,
      isPrivate: options.isPrivate ?? true,
      collaborators: new Set(options.collaborators),
      git,
      pushedAt: new Date(Date.UTC(2026, 0, 1) + (id % 100_000) * 1000),
    };
    this.world.repositories.push(repository);
    return repository;
  }

  cloneUrl(repository: Repository): string {
    return `${this.url}/${fullName(repository)}.git`;
  }

  rename(repository: Repository, name: string): void {
    this.world.formerNames.set(fullName(repository).toLowerCase(), repository);
    repository.name = name;
  }

  /** The App is installed on an account: on all its repositories, or on some. */
  install(
    login: string,
    options: { repositories?: readonly Repository[]; permissions?: Installation['permissions'] } = {},
  ): Installation {
    const installation: Installation = {
      id: this.world.nextId(),
      account: this.#account(login),
      repositories: options.repositories ? new Set(options.repositories.map(({ id }) => id)) : null,
      permissions: { ...(options.permissions ?? ALL_PERMISSIONS) },
      suspendedAt: null,
    };
    this.world.installations.push(installation);
    return installation;
  }

  uninstall(installation: Installation): void {
    this.world.installations.splice(this.world.installations.indexOf(installation), 1);
    for (const [token, actor] of this.world.tokens) {
      if (actor.kind === 'installation' && actor.installation === installation)
        this.world.tokens.delete(token);
    }
  }

  uninstallAll(): void {
    for (const installation of this.world.installations.slice()) this.uninstall(installation);
  }

  // ------------------------------------------------------------ what it was told

  hooksOf(repository: Repository): Hook[] {
    return this.world.hooks.filter(({ repositoryId }) => repositoryId === repository.id);
  }

  /** Commit statuses, oldest first. */
  statusesOf(repository: Repository): CommitStatus[] {
    return this.world.statuses.filter(({ repositoryId }) => repositoryId === repository.id);
  }

  deploymentsOf(repository: Repository): Deployment[] {
    return this.world.deployments.filter(({ repositoryId }) => repositoryId === repository.id);
  }

  requestsTo(route: RegExp): SeenRequest[] {
    return this.requests.filter((request) => route.test(request.route));
  }

  // ------------------------------------------------------------ how it fails

  /** Whatever fits `GET /user/repos` and the like goes wrong, as often as told (default: until `heal`). */
  fail(route: RegExp, fault: Fault, times?: number): void {
    this.#faults.add(route, fault, times);
  }

  /** Nothing answers any more, Git neither. */
  goDown(): void {
    this.fail(/./, { kind: 'reset' });
  }

  heal(): void {
    this.#faults.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    await this.#git.server.close();
    await rm(this.#git.folder, { recursive: true, force: true });
  }

  #addAccount(login: string, type: Account['type']): Account {
    const account: Account = { id: this.world.nextId(), login, type, members: new Map() };
    this.world.accounts.push(account);
    return account;
  }

  #account(login: string): Account {
    const account = this.world.account(login);
    if (!account) throw new Error(`GitHub has no account ${login}: add it first`);
    return account;
  }
}

function routeOf(request: Request): string {
  const [path = ''] = request.originalUrl.split('?');
  return `${request.method} ${path.startsWith(`${API}/`) ? path.slice(API.length) : path}`;
}

/** The body of a fetch belongs to Git's own server, which reads it itself. */
function gitOrJson(json: express.RequestHandler): express.RequestHandler {
  return (request, response, next) =>
    request.path.endsWith('/git-upload-pack') ? next() : void json(request, response, next);
}
