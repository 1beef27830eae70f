import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { DEFAULT_NODE_IMAGE, type StartSettings } from '../../internal/config/start-settings.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import type { DockerSocket } from '../../internal/host/docker-socket.ts';
import { makeLocalNodeImage } from '../../internal/host/local-node-image.ts';

/** A name of our own: never an official one, which a later pull would have to replace. */
const LOCAL_REPOSITORY = 'berth-local/node';

/**
 * The base image for the sample: what was set, else the default where it can be pulled, else one made of what this
 * machine has, remembered for later starts. Null: the default.
 */
export async function chooseNodeImage(
  settings: StartSettings,
  docker: DockerSocket,
  say: (text: string) => void,
): Promise<string | null> {
  if (settings.nodeImage !== null) return settings.nodeImage;
  if (!(await docker.hasImage(DEFAULT_NODE_IMAGE))) say(`pulling ${DEFAULT_NODE_IMAGE}`);
  if (await docker.pull(DEFAULT_NODE_IMAGE)) return null;
  say(`${DEFAULT_NODE_IMAGE} cannot be pulled; the base image is made of what this machine has`);
  try {
    const image = await makeLocalNodeImage(new Dockerode({ socketPath: docker.path }), LOCAL_REPOSITORY);
    writeFileSync(noteFile(settings), `${image}\n`, { mode: 0o600 });
    return image;
  } catch (error) {
    throw new CannotStart(`There is no base image for Node apps: ${String(error)} Or set NODE_IMAGE.`);
  }
}

/** What an earlier start had to make, while it is still there. */
export async function rememberedNodeImage(
  settings: StartSettings,
  docker: DockerSocket,
): Promise<string | null> {
  if (settings.nodeImage !== null) return settings.nodeImage;
  try {
    const image = readFileSync(noteFile(settings), 'utf8').trim();
    return (await docker.hasImage(image)) ? image : null;
  } catch {
    return null;
  }
}

function noteFile(settings: StartSettings): string {
  return join(settings.dataDir, 'node-image');
}
