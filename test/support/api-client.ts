import { httpRequest } from './http-request.ts';

/** What the tests read of an app's JSON; the whole is in the OpenAPI document. */
export interface AppView {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly url: string;
  readonly internal_url: string;
  readonly live_deployment_id: string | null;
}

export interface DeploymentView {
  readonly id: string;
  readonly app_id: string;
  readonly status: string;
  readonly failure_code: string | null;
  readonly failure_reason: string | null;
  readonly exit_code: number | null;
  readonly out_of_memory: boolean | null;
  readonly log_tail: readonly string[];
  readonly commit_sha: string | null;
  readonly image_id: string | null;
  readonly image_reused_from: string | null;
  readonly url: string | null;
  readonly queue_position: number | null;
  readonly waiting_for: string | null;
}

export interface LogLineView {
  readonly seq: number;
  readonly source: string;
  readonly level: string;
  readonly text: string;
}

interface Page<T> {
  readonly items: readonly T[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The API as a person with curl uses it: bearer token, JSON, under /api/v1. */
export class ApiClient {
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** Any call; the answer as it is. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const answer = await httpRequest({
      port: this.#port,
      path: `/api/v1${path}`,
      method,
      headers: {
        ...headers,
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: answer.body === '' ? null : (JSON.parse(answer.body) as unknown) };
  }

  createApp(input: Readonly<Record<string, unknown>>): Promise<AppView> {
    return this.#expect<AppView>('POST', '/apps', input);
  }

  app(id: string): Promise<AppView> {
    return this.#expect<AppView>('GET', `/apps/${id}`);
  }

  async apps(): Promise<readonly AppView[]> {
    return (await this.#expect<Page<AppView>>('GET', '/apps')).items;
  }

  changeApp(id: string, changes: Readonly<Record<string, unknown>>): Promise<AppView> {
    return this.#expect('PATCH', `/apps/${id}`, changes);
  }

  async deleteApp(id: string): Promise<void> {
    await this.#expect('DELETE', `/apps/${id}`);
  }

  deploy(appId: string, input: Readonly<Record<string, unknown>> = {}): Promise<DeploymentView> {
    return this.#expect<DeploymentView>('POST', `/apps/${appId}/deploy`, input);
  }

  deployment(id: string): Promise<DeploymentView> {
    return this.#expect<DeploymentView>('GET', `/deployments/${id}`);
  }

  async deployments(appId: string): Promise<readonly DeploymentView[]> {
    return (await this.#expect<Page<DeploymentView>>('GET', `/apps/${appId}/deployments`)).items;
  }

  async logLines(deploymentId: string): Promise<readonly LogLineView[]> {
    return (await this.#expect<Page<LogLineView>>('GET', `/deployments/${deploymentId}/logs`)).items;
  }

  /** @throws with the answer's words when it is no 2xx. */
  async #expect<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.send(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body as T;
  }
}
