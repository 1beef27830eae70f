import type Dockerode from 'dockerode';
import type { BuiltImage, CachedLayer, ImageSummary } from '../engine/ports.ts';
import { boxName } from './buildkit-plan.ts';
import { cachedLayersAmong } from './cached-layers.ts';
import { withDeadline } from './deadline.ts';
import { statusOf } from './error-facts.ts';

const COMMIT = /^:[0-9a-f]{40}$/;

/** The images of this installation that the daemon has: lists them, and removes them one by one. */
export class DockerImages {
  readonly #docker: Dockerode;
  readonly #instanceId: string;

  constructor(options: { docker: Dockerode; instanceId: string }) {
    this.#docker = options.docker;
    this.#instanceId = options.instanceId;
  }

  async inspect(imageId: string): Promise<BuiltImage | null> {
    const image = await this.find(imageId);
    return image && builtImage(image);
  }

  async list({ appId }: { appId?: string }): Promise<ImageSummary[]> {
    const label = [
      `berth.instance=${this.#instanceId}`,
      ...(appId === undefined ? [] : [`berth.app=${appId}`]),
    ];
    const images = await withDeadline(this.#docker.listImages({ filters: { label } }));
    // Layers that a build left behind carry the app, but no deployment: they are its cache, and no image of it.
    return images.flatMap(({ Id, Labels, Created, Size }) => {
      const { 'berth.app': app, 'berth.deployment': deploymentId } = Labels ?? {};
      if (app === undefined || deploymentId === undefined) return [];
      return [{ imageId: Id, appId: app, deploymentId, createdAt: new Date(Created * 1000), bytes: Size }];
    });
  }

  async remove(imageId: string): Promise<void> {
    const image = await this.find(imageId);
    if (image?.Config.Labels?.['berth.instance'] !== this.#instanceId) return;
    try {
      // While it has names of two repositories, Docker does not remove it by its id.
      for (const name of registryNames(image)) await withDeadline(this.#docker.getImage(name).remove());
      await withDeadline(this.#docker.getImage(imageId).remove());
    } catch (error) {
      // 404: gone meanwhile. 409: in use, or somebody gave it another name; then it is not ours to take.
      if (!hasStatus(error, 404, 409)) throw error;
    }
  }

  async buildKitCaches(): Promise<string[]> {
    const label = [`berth.instance=${this.#instanceId}`];
    const { Volumes } = await withDeadline(this.#docker.listVolumes({ filters: { label } }));
    // Engines tell of no volumes as null, too.
    return (Volumes ?? []).flatMap((volume) => this.#appOfCache(volume) ?? []);
  }

  /** Whoever has turned BuildKit's image off may have caches from before. */
  async removeCache(appId: string): Promise<boolean> {
    const volume = this.#docker.getVolume(boxName(this.#instanceId, appId));
    try {
      if (this.#appOfCache(await withDeadline(volume.inspect())) === appId)
        await withDeadline(volume.remove());
      return true;
    } catch (error) {
      if (hasStatus(error, 409)) return false;
      if (!hasStatus(error, 404)) throw error;
      return true;
    }
  }

  async cachedLayers(): Promise<CachedLayer[]> {
    const images = await withDeadline(this.#docker.listImages({ all: true }));
    const containers = await withDeadline(this.#docker.listContainers({ all: true }));
    const usedImages = new Set(containers.map(({ ImageID }) => ImageID));
    return cachedLayersAmong(images, { instanceId: this.#instanceId, usedImages });
  }

  async removeLayer(imageId: string): Promise<void> {
    try {
      await withDeadline(this.#docker.getImage(imageId).remove({ noprune: true }));
    } catch (error) {
      // 404: gone meanwhile. 409: a build has put another layer on it, or a container uses it.
      if (!hasStatus(error, 404, 409)) throw error;
    }
  }

  /** Null: it is no cache of this installation. */
  #appOfCache({ Name, Labels }: Pick<Dockerode.VolumeInspectInfo, 'Name' | 'Labels'>): string | null {
    // Of a volume without labels Docker tells null.
    const { 'berth.instance': instanceId, 'berth.app': appId } = Labels ?? {};
    const isOurs =
      instanceId === this.#instanceId && appId !== undefined && Name === boxName(instanceId, appId);
    return isOurs ? appId : null;
  }

  /** As Docker describes it; null: it is gone. */
  async find(imageId: string): Promise<Dockerode.ImageInspectInfo | null> {
    try {
      return await withDeadline(this.#docker.getImage(imageId).inspect());
    } catch (error) {
      if (hasStatus(error, 404)) return null;
      throw error;
    }
  }
}

export function builtImage(image: Dockerode.ImageInspectInfo): BuiltImage {
  return { imageId: image.Id, exposedPorts: tcpPorts(image.Config.ExposedPorts), bytes: image.Size };
}

/** Those that a push has given it, if it has no name but ours: what else it is called is not ours to take. */
function registryNames({ RepoTags, Config }: Dockerode.ImageInspectInfo): string[] {
  const { 'berth.owner': owner = '', 'berth.app-name': app = '' } = Config.Labels ?? {};
  const isPushed = (name: string) => {
    const [folder = '', last = ''] = name.split('/').slice(-2);
    return folder.startsWith(`${owner}-`) && last.startsWith(`${app}:`) && COMMIT.test(last.slice(-41));
  };
  const tags = RepoTags ?? [];
  return tags.every((name) => name.startsWith('berth/') || isPushed(name)) ? tags.filter(isPushed) : [];
}

function tcpPorts(exposed: Readonly<Record<string, unknown>> | null | undefined): number[] {
  return Object.keys(exposed ?? {})
    .flatMap((port) => /^(\d+)\/tcp$/.exec(port)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function hasStatus(error: unknown, ...codes: number[]): boolean {
  const status = statusOf(error);
  return status !== null && codes.includes(status);
}
