import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type Dockerode from 'dockerode';
import { hasImage, importImage } from './import-image.ts';
import {
  busyboxEntries,
  fingerprint,
  libraryEntries,
  packRootFileSystem,
  type RootEntry,
} from './root-file-system.ts';

const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const BUSYBOX = '/usr/bin/busybox';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
node:x:1000:1000:node:/home/node:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
`;
const GROUP = 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n';

/**
 * A Node base image for a machine that cannot pull one, out of what it has: its Node with npm, busybox, the CA bundle,
 * a user `node` (1000). Made once per content; answers `repository:fingerprint`, to be used as NODE_IMAGE. Give it a
 * repository name of our own, never an official one. @throws Error with one sentence when this machine lacks a part
 */
export async function makeLocalNodeImage(
  docker: Dockerode,
  repository: string,
  onLine: (text: string) => void = () => {},
): Promise<string> {
  const entries = await nodeEntries();
  const tag = await fingerprint(entries);
  if (await hasImage(docker, `${repository}:${tag}`)) return `${repository}:${tag}`;

  onLine(`Making the base image ${repository}:${tag} from the Node ${process.version} of this machine`);
  return importImage(docker, {
    repository,
    tag,
    files: packRootFileSystem(entries),
    changes: nodeImageSettings(),
  });
}

/** Its settings, as lines of a Dockerfile. */
export function nodeImageSettings(): string[] {
  return [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ...(existsSync(CA_BUNDLE) ? [`ENV NODE_EXTRA_CA_CERTS=${CA_BUNDLE}`] : []),
    'CMD ["node"]',
  ];
}

/** What that image holds. @throws Error with one sentence when this machine lacks a part */
export async function nodeEntries(): Promise<RootEntry[]> {
  if (!existsSync(BUSYBOX)) {
    throw new Error(`A local base image needs ${BUSYBOX}; install the package busybox-static.`);
  }
  const node = process.execPath;
  const npm = resolve(dirname(node), '../lib/node_modules/npm');
  if (!existsSync(npm)) throw new Error(`A local base image needs npm beside ${node}; none is in ${npm}.`);

  return [
    ...(await busyboxEntries(BUSYBOX)),
    { path: '/usr/bin/node', from: node },
    ...(await libraryEntries(node)),
    { path: '/usr/lib/node_modules/npm', from: npm },
    { path: '/usr/bin/npm', link: '../lib/node_modules/npm/bin/npm-cli.js' },
    { path: '/usr/bin/npx', link: '../lib/node_modules/npm/bin/npx-cli.js' },
    // Scripts begin with `#!/usr/bin/env node`; the applets are in /bin.
    { path: '/usr/bin/env', link: '/bin/env' },
    { path: '/etc/passwd', text: PASSWD },
    { path: '/etc/group', text: GROUP },
    { path: '/root', directory: { mode: 0o700, owner: 0 } },
    { path: '/home/node', directory: { mode: 0o755, owner: 1000 } },
    ...(existsSync(CA_BUNDLE)
      ? [
          { path: CA_BUNDLE, from: CA_BUNDLE },
          { path: '/usr/etc/npmrc', text: `cafile=${CA_BUNDLE}\nupdate-notifier=false\n` },
        ]
      : []),
  ];
}
