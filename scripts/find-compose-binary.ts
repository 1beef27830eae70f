import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StartSettings } from '../internal/config/start-settings.ts';
import { buildGoProgram } from '../internal/host/go-program.ts';

const VERSION = 'v2.40.3';

/** Where Docker's packages and people put the plugin; run by itself it is the same program. */
const PLUGIN_FOLDERS = [
  '/usr/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
];

/** The compose plugin, for the test of docker-compose.yml: the one that is installed, else built from its Go module; cached. */
export async function findComposeBinary(
  settings: StartSettings,
  dataDir: string,
  say: (text: string) => void,
): Promise<string> {
  const { cacheDir, environment } = settings;
  const own = join(environment['HOME'] ?? '/root', '.docker/cli-plugins');
  const installed = [own, ...PLUGIN_FOLDERS]
    .map((folder) => join(folder, 'docker-compose'))
    .find((path) => existsSync(path));
  if (installed !== undefined) return installed;
  return buildGoProgram(
    {
      name: 'Compose',
      module: `github.com/docker/compose/v2@${VERSION}`,
      package: './cmd',
      fileName: `docker-compose-${VERSION}`,
      withoutGo: 'There is neither the compose plugin nor a Go to build it: install docker-compose-plugin.',
    },
    { cacheDir, environment, dataDir, say },
  );
}
