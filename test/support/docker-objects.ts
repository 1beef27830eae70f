import Dockerode from 'dockerode';

export interface TestContainer {
  readonly id: string;
  readonly name: string;
  readonly deploymentId: string;
  readonly running: boolean;
  readonly startedAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly restartPolicy: string;
  readonly address: string;
  readonly health: string;
  readonly inspect: Dockerode.ContainerInspectInfo;
}

/** What one installation has in Docker, found by its instance label only. */
export class DockerObjects {
  readonly docker: Dockerode;
  readonly #filters: string;

  constructor(instance: string, docker = new Dockerode()) {
    this.docker = docker;
    this.#filters = JSON.stringify({ label: [`berth.instance=${instance}`] });
  }

  /** Running or not, newest first. */
  async containers(filter: { deploymentId?: string; appId?: string } = {}): Promise<TestContainer[]> {
    const listed = await this.docker.listContainers({ all: true, filters: this.#filters });
    const inspected = await Promise.all(
      // Gone between list and inspect: it is not there.
      listed.map(({ Id }) => this.docker.getContainer(Id).inspect().catch(ignoreGone)),
    );
    return inspected
      .filter((info) => info !== null)
      .map(describe)
      .filter(
        ({ labels }) =>
          filter.deploymentId === undefined || labels['berth.deployment'] === filter.deploymentId,
      )
      .filter(({ labels }) => filter.appId === undefined || labels['berth.app'] === filter.appId);
  }

  async networks(): Promise<string[]> {
    const networks = await this.docker.listNetworks({ filters: this.#filters });
    return networks.map(({ Name }) => Name);
  }

  /** Of deployments; not the layers that their builds left as cache. */
  async images(): Promise<{ id: string; tags: readonly string[] }[]> {
    const images = await this.docker.listImages({ filters: this.#filters });
    return images
      .filter(({ Labels }) => Labels?.['berth.deployment'] !== undefined)
      .map(({ Id, RepoTags }) => ({ id: Id, tags: RepoTags ?? [] }));
  }

  /** The nameless layers that builds left, those that nothing stands on. */
  async layers(): Promise<string[]> {
    const images = await this.docker.listImages({ filters: this.#filters });
    return images.filter(({ Labels }) => Labels?.['berth.deployment'] === undefined).map(({ Id }) => Id);
  }

  async volumes(): Promise<string[]> {
    const { Volumes } = await this.docker.listVolumes({ filters: this.#filters });
    return Volumes.map(({ Name }) => Name);
  }

  /** One sentence per thing that is there. */
  async describeAll(): Promise<string[]> {
    return [
      ...(await this.containers()).map(({ name }) => `container ${name}`),
      ...(await this.networks()).map((name) => `network ${name}`),
      ...(await this.images()).map(({ id, tags }) => `image ${tags.join(' ') || id}`),
      ...(await this.volumes()).map((name) => `volume ${name}`),
    ];
  }

  /** Removes everything with the label, each by its id. */
  async removeAll(): Promise<void> {
    for (const { id } of await this.containers()) {
      await this.docker.getContainer(id).remove({ force: true, v: true }).catch(ignoreGone);
    }
    for (const name of await this.networks()) await this.docker.getNetwork(name).remove().catch(ignoreGone);
    for (const { id } of await this.images()) {
      await this.docker.getImage(id).remove({ force: true }).catch(ignoreGone);
    }
    for (const id of await this.layers()) await this.docker.getImage(id).remove().catch(ignoreGone);
    for (const name of await this.volumes()) await this.docker.getVolume(name).remove().catch(ignoreGone);
  }
}

function describe(info: Dockerode.ContainerInspectInfo): TestContainer {
  const labels = info.Config.Labels;
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ''),
    deploymentId: labels['berth.deployment'] ?? '',
    running: info.State.Running,
    startedAt: info.State.StartedAt,
    labels,
    restartPolicy: info.HostConfig.RestartPolicy?.Name ?? '',
    address: Object.values(info.NetworkSettings.Networks)[0]?.IPAMConfig?.IPv4Address ?? '',
    health: info.State.Health?.Status ?? 'none',
    inspect: info,
  };
}

function ignoreGone(error: unknown): null {
  if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return null;
  throw error;
}
