import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { StartSettings } from '../../internal/config/start-settings.ts';
import { type GitHttpServer, startGitHttpServer } from '../../internal/host/git-http-server.ts';
import { SAMPLE_REPOSITORY, sampleRepository } from '../../internal/host/sample-repository.ts';

export interface ServedSample {
  readonly repoUrl: string;
  /** `host:port`, which clones may then come from although it is private. */
  readonly gitHost: string;
  close(): Promise<void>;
}

/** Once the sample was deployed its repository is served at each start, so that it can be deployed again. */
export async function serveSample(settings: StartSettings): Promise<ServedSample | null> {
  const repository = sampleRepository(settings.dataDir);
  if (!existsSync(repository)) return null;
  const server: GitHttpServer = await startGitHttpServer({
    folder: dirname(repository),
    port: settings.sampleGitPort,
  });
  return { repoUrl: server.url(SAMPLE_REPOSITORY), gitHost: server.host, close: () => server.close() };
}
