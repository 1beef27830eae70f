import { mkdtemp, rm } from 'node:fs/promises';
import type { GitHttpServer } from '../../internal/host/git-http-server.ts';
import type { RepositoryFiles } from './fixture-apps.ts';
import { createGitRepository, serveGit } from './git-repository.ts';
import { type StallingProxy, startStallingProxy } from './stalling-proxy.ts';

export interface TestRepository {
  readonly url: string;
  /** @returns the new commit's id */
  commit(files: RepositoryFiles): Promise<string>;
}

/** The Git server of one platform: repositories of one folder over HTTP, behind a proxy that can hang. */
export class TestGit {
  readonly proxy: StallingProxy;
  readonly #folder: string;
  readonly #server: GitHttpServer;

  private constructor(parts: { folder: string; server: GitHttpServer; proxy: StallingProxy }) {
    this.#folder = parts.folder;
    this.#server = parts.server;
    this.proxy = parts.proxy;
  }

  static async start(): Promise<TestGit> {
    const folder = await mkdtemp('/tmp/berth-e2e-git-');
    const server = await serveGit(folder, { servesCommits: true });
    return new TestGit({ folder, server, proxy: await startStallingProxy(server.port) });
  }

  /** `host:port` for GIT_PRIVATE_HOSTS. */
  get host(): string {
    return `127.0.0.1:${this.proxy.port}`;
  }

  async createRepository(name: string, files: RepositoryFiles): Promise<TestRepository> {
    const repository = await createGitRepository(files, { folder: this.#folder, name: `${name}.git` });
    return {
      url: `http://${this.host}/${name}.git`,
      commit: (changes) => repository.commit(changes, 'Another version'),
    };
  }

  async close(): Promise<void> {
    await this.proxy.close();
    await this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
