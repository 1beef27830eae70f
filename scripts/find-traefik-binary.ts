import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import Dockerode from 'dockerode';
import { extract } from 'tar-fs';
import type { StartSettings } from '../internal/config/start-settings.ts';
import { DockerSocket } from '../internal/host/docker-socket.ts';
import { buildTraefik } from '../internal/host/traefik-binary.ts';

/**
 * Traefik as a program, for tests that start and kill it: the one that is set, else taken out of the image, else built
 * from its Go module; cached.
 */
export async function findTraefikBinary(
  settings: StartSettings,
  dataDir: string,
  say: (text: string) => void,
): Promise<string> {
  if (settings.traefikBinary !== null) return settings.traefikBinary;
  const docker = new DockerSocket(settings.dockerHost);
  const { cacheDir, environment } = settings;
  if (await docker.pull(settings.traefikImage)) return takeOut(settings.traefikImage, docker.path, cacheDir);
  return buildTraefik({ cacheDir, environment, dataDir, say });
}

async function takeOut(image: string, socketPath: string, cacheDir: string): Promise<string> {
  const binary = join(cacheDir, `${image.replace(/[^\w.-]/g, '-')}-${process.arch}`);
  if (existsSync(binary)) return binary;
  const folder = `${binary}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const container = await new Dockerode({ socketPath }).createContainer({ Image: image });
  try {
    await pipeline(await container.getArchive({ path: '/usr/local/bin/traefik' }), extract(folder));
    chmodSync(join(folder, 'traefik'), 0o755);
    renameSync(join(folder, 'traefik'), binary);
  } finally {
    await container.remove({ force: true });
    rmSync(folder, { recursive: true, force: true });
  }
  return binary;
}
