import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { dockerCall, messageOf, statusOf, unlessDone } from './docker-call.ts';
import { GateToolUnusable } from './gate-tool-unusable.ts';

const PULL_DEADLINE_MS = 300_000;
const TAR_BLOCK = 512;

/**
 * `/bin/busybox` of an image, pulled when it is not there. The archive is that of a container of ours that never ran:
 * of a container that has, its archive is a thing a tenant could shape (CVE-2026-41567).
 */
export async function toolFromImage(options: {
  docker: Docker;
  instanceId: string;
  image: string;
}): Promise<Buffer> {
  const { docker, image } = options;
  await ensureImage(docker, image);
  const container = await dockerCall(
    'make a container for the gate tool',
    docker.createContainer({
      Image: image,
      Cmd: ['true'],
      Labels: { 'berth.instance': options.instanceId, 'berth.gate-tool': 'true' },
      HostConfig: { NetworkMode: 'none' },
    }),
  );
  try {
    const archive = await dockerCall(
      'hand out the gate tool',
      container.getArchive({ path: '/bin/busybox' }).then(buffer),
    );
    return firstFileOf(archive);
  } finally {
    await unlessDone(dockerCall('remove a container', container.remove({ v: true, force: true })));
  }
}

/** The content of the first regular file of a tar archive (POSIX ustar). */
export function firstFileOf(archive: Buffer): Buffer {
  for (let at = 0; at + TAR_BLOCK <= archive.length; ) {
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8) || 0;
    const kind = archive.toString('latin1', at + 156, at + 157);
    const start = at + TAR_BLOCK;
    if (kind === '0' || kind === '\0') return archive.subarray(start, start + size);
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  throw new GateToolUnusable('The image of the gate tool has no regular file /bin/busybox; set GATE_TOOL.');
}

async function ensureImage(docker: Docker, image: string): Promise<void> {
  const present = await unlessDone(dockerCall('look for an image', docker.getImage(image).inspect()));
  if (present) return;
  try {
    const progress = await dockerCall('begin to pull an image', docker.pull(image));
    await dockerCall(
      `pull ${image}`,
      new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(progress, (error: Error | null) => (error ? reject(error) : resolve()));
      }),
      PULL_DEADLINE_MS,
    );
    await dockerCall('look for an image', docker.getImage(image).inspect());
  } catch (cause) {
    const why = statusOf(cause) === null ? '' : ` (${messageOf(cause)})`;
    const remedy = 'install busybox-static, or set GATE_TOOL to a static busybox';
    throw new GateToolUnusable(`The gate tool is not here and ${image} cannot be pulled${why}: ${remedy}.`, {
      cause,
    });
  }
}
