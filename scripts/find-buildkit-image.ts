import Dockerode from 'dockerode';
import type { StartSettings } from '../internal/config/start-settings.ts';
import { DockerSocket } from '../internal/host/docker-socket.ts';
import { buildGoProgram } from '../internal/host/go-program.ts';
import { hasImage, importImage } from '../internal/host/import-image.ts';
import {
  busyboxEntries,
  fingerprint,
  libraryEntries,
  packRootFileSystem,
  type RootEntry,
} from '../internal/host/root-file-system.ts';

const VERSION = 'v0.28.1';
const RUNC = '/usr/sbin/runc';

/**
 * The image in which tests build with BuildKit: the official one, else made of its Go module (built once, cached) and this
 * machine's runc. @returns its name. @throws CannotStart
 */
export async function findBuildKitImage(
  settings: StartSettings,
  dataDir: string,
  say: (text: string) => void,
): Promise<string> {
  const socket = new DockerSocket(settings.dockerHost);
  const official = `moby/buildkit:${VERSION}`;
  if (await socket.pull(official)) return official;

  const { cacheDir, environment } = settings;
  const [buildkitd, buildctl] = [await build('buildkitd'), await build('buildctl')];
  const entries: RootEntry[] = [
    ...(await busyboxEntries('/usr/bin/busybox')),
    { path: '/usr/bin/buildkitd', from: buildkitd },
    { path: '/usr/bin/buildctl', from: buildctl },
    { path: '/usr/bin/runc', from: RUNC },
    ...(await libraryEntries(RUNC)),
    { path: '/etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\n' },
    { path: '/etc/ssl/certs/ca-certificates.crt', from: '/etc/ssl/certs/ca-certificates.crt' },
    { path: '/root', directory: { mode: 0o700, owner: 0 } },
  ];
  const repository = 'berth-test/buildkit';
  const tag = await fingerprint(entries);
  const docker = new Dockerode({ socketPath: socket.path });
  if (await hasImage(docker, `${repository}:${tag}`)) return `${repository}:${tag}`;
  return importImage(docker, {
    repository,
    tag,
    files: packRootFileSystem(entries),
    changes: ['ENV PATH=/usr/bin:/bin', 'ENTRYPOINT ["/usr/bin/buildkitd"]'],
  });

  function build(program: 'buildkitd' | 'buildctl'): Promise<string> {
    return buildGoProgram(
      {
        name: `BuildKit's ${program}`,
        module: `github.com/moby/buildkit@${VERSION}`,
        package: `./cmd/${program}`,
        fileName: `${program}-${VERSION}`,
        withoutGo: `The image ${official} cannot be pulled and there is no Go to build it: allow the pull, or install Go 1.25 or newer.`,
      },
      { cacheDir, environment, dataDir, say },
    );
  }
}
