import Dockerode from 'dockerode';
import { hasImage, importImage } from '../../internal/host/import-image.ts';
import { makeLocalNodeImage } from '../../internal/host/local-node-image.ts';
import { busyboxEntries, fingerprint, packRootFileSystem } from '../../internal/host/root-file-system.ts';

/**
 * Base images of the tests, made from what the machine has, so that no registry is needed. They are kept: their tag is a
 * fingerprint of their content. Nobody labels or removes them.
 */

/** An image with a shell and the busybox applets in /bin (2 MB). */
export async function ensureBusyboxImage(docker = new Dockerode()): Promise<string> {
  const entries = await busyboxEntries('/usr/bin/busybox');
  const repository = 'berth-test/busybox';
  const tag = await fingerprint(entries);
  if (await hasImage(docker, `${repository}:${tag}`)) return `${repository}:${tag}`;
  return importImage(docker, {
    repository,
    tag,
    files: packRootFileSystem(entries),
    changes: ['ENV PATH=/bin', 'CMD ["sh"]'],
  });
}

/** That, with Node, npm, the CA bundle and a user `node` (130 MB). */
export async function ensureNodeImage(): Promise<string> {
  return makeLocalNodeImage(new Dockerode(), 'berth-test/node');
}
