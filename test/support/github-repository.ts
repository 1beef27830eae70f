import type { FakeGithub, Repository } from './fake-github.ts';
import type { RepositoryFiles } from './fixture-apps.ts';
import { type PushOptions, pushPayload } from './github-events.ts';
import { type HttpAnswer, httpRequest } from './http-request.ts';
import { signedWebhook } from './webhook-sender.ts';

/** Where GitHub posts to, as a person has copied it into the settings of the repository. */
export interface WebhookAddress {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly secret: string;
}

/** A push that is in the repository; GitHub may tell of it now, later, twice or never. */
export interface Pushed {
  readonly before: string;
  readonly after: string;
  readonly payload: ReturnType<typeof pushPayload>;
}

/** A repository at GitHub that somebody pushes to. */
export class PushedRepository {
  readonly url: string;
  readonly #repository: Repository;
  readonly #fullName: string;

  private constructor(github: FakeGithub, repository: Repository) {
    this.#repository = repository;
    this.#fullName = `${repository.owner.login}/${repository.name}`;
    this.url = github.cloneUrl(repository);
  }

  static async create(
    github: FakeGithub,
    fullName: string,
    files: RepositoryFiles,
  ): Promise<PushedRepository> {
    return new PushedRepository(github, await github.addRepository(fullName, { files, isPrivate: false }));
  }

  /** Adds a commit; nobody is told. */
  async push(files: RepositoryFiles, options: Pick<PushOptions, 'branch' | 'message'> = {}): Promise<Pushed> {
    const { git } = this.#repository;
    const { branch = 'main', message = 'Another version' } = options;
    const before = await git.head(branch).catch(() => git.head());
    const after = await git.commit(files, message, branch);
    const changed = Object.keys(files);
    const payload = pushPayload({ repository: this.#fullName, branch, before, after, message, changed });
    return { before, after, payload };
  }
}

/** Tells of something as GitHub does: one signed POST. */
export function tell(
  to: WebhookAddress,
  payload: unknown,
  more: { event?: string; deliveryId?: string; signature?: string | null } = {},
): Promise<HttpAnswer> {
  const { headers, body } = signedWebhook({ secret: to.secret, payload, ...more });
  const { port, host, path } = to;
  return httpRequest({ port, host, path, method: 'POST', headers, body: body.toString() });
}

/** As it was answered. */
export interface Told {
  readonly id: string;
  readonly outcomes: readonly {
    readonly outcome: string;
    readonly reason: string;
    readonly deployment_id: string | null;
  }[];
}

export function told(answer: HttpAnswer): Told {
  return JSON.parse(answer.body) as Told;
}
