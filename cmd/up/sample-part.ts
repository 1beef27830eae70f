import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type GitHttpServer, startGitHttpServer } from '../../internal/host/git-http-server.ts';
import { SAMPLE_REPOSITORY, sampleRepository } from '../../internal/host/sample-repository.ts';
import type { Part } from './part.ts';
import type { RunRecord } from './run-record.ts';

/** Once the sample was deployed its repository is served at each start, so that it can be deployed again. */
export function hasSample(dataDir: string): boolean {
  return existsSync(sampleRepository(dataDir));
}

/** The repository of the sample, over HTTP on loopback. */
export class SamplePart implements Part {
  readonly name = 'sample repository';
  readonly #folder: string;
  readonly #port: number;
  readonly #record: RunRecord;
  #server: GitHttpServer | null = null;

  constructor(options: { dataDir: string; port: number }, record: RunRecord) {
    this.#folder = dirname(sampleRepository(options.dataDir));
    this.#port = options.port;
    this.#record = record;
  }

  async start(): Promise<string> {
    this.#server = await startGitHttpServer({ folder: this.#folder, port: this.#port });
    const url = this.#server.url(SAMPLE_REPOSITORY);
    this.#record.set({ sampleRepoUrl: url });
    return url;
  }

  /** `host:port`, from which clones may then come although it is private. */
  gitHost(): string {
    if (this.#server === null) throw new Error('The repository of the sample is not served');
    return this.#server.host;
  }

  async tend(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#server?.close();
  }
}
