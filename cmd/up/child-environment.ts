import type { StartSettings } from '../../internal/config/start-settings.ts';
import type { MadeSecrets } from '../../internal/host/data-dir.ts';

interface Found {
  readonly secrets: MadeSecrets;
  readonly databaseUrl: string;
  readonly httpPort: number;
  readonly nodeImage: string | null;
  /** `host:port` of the sample's repository; null: it is not served. */
  readonly sampleGitHost: string | null;
}

/** The settings of API and worker: the person's own environment, completed by what was made or chosen at this start. */
export function childEnvironment(
  settings: StartSettings,
  found: Found,
): Readonly<Record<string, string | undefined>> {
  const privateHosts = [...settings.gitPrivateHosts, ...(found.sampleGitHost ? [found.sampleGitHost] : [])];
  return {
    ...found.secrets,
    ...dropEmpty(settings.environment),
    DATA_DIR: settings.dataDir,
    DATABASE_URL: found.databaseUrl,
    HTTP_PORT: String(found.httpPort),
    GIT_PRIVATE_HOSTS: privateHosts.join(','),
    ...(found.nodeImage === null ? {} : { NODE_IMAGE: found.nodeImage }),
  };
}

// An empty value counts as unset everywhere, so it must not hide a secret that was made.
function dropEmpty(environment: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}
