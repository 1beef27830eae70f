import { DockerRefused, type DockerSocket } from './docker-socket.ts';
import { TRAEFIK_ENVIRONMENT } from './traefik.ts';

export interface TraefikContainerOptions {
  readonly image: string;
  readonly instance: string;
  /** Folder with the rendered configuration; mounted at the same path. */
  readonly directory: string;
  readonly configFile: string;
}

/** Traefik from its official image, on the host's network as a process would be. Docker itself restarts it. */
export class TraefikContainer {
  readonly #docker: DockerSocket;
  readonly #options: TraefikContainerOptions;

  constructor(docker: DockerSocket, options: TraefikContainerOptions) {
    this.#docker = docker;
    this.#options = options;
  }

  /** Replaces one that an earlier start left behind. @returns the container's id */
  async start(): Promise<string> {
    for (const id of await this.#ours()) await removeContainer(this.#docker, id);
    const { Id } = await this.#docker.json<{ Id: string }>({
      method: 'POST',
      path: `/containers/create?name=berth-traefik-${this.#options.instance}`,
      body: this.#spec(),
    });
    try {
      await this.#docker.text({ method: 'POST', path: `/containers/${Id}/start` });
    } catch (error) {
      await removeContainer(this.#docker, Id).catch(() => undefined);
      throw error;
    }
    return Id;
  }

  #spec() {
    const { image, instance, directory, configFile } = this.#options;
    const socket = this.#docker.path;
    return {
      Image: image,
      Cmd: [`--configFile=${configFile}`],
      Env: Object.entries(TRAEFIK_ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
      Labels: { 'berth.instance': instance, 'berth.role': 'proxy', 'traefik.enable': 'false' },
      HostConfig: {
        NetworkMode: 'host',
        RestartPolicy: { Name: 'always' },
        Binds: [`${socket}:${socket}:ro`, `${directory}:${directory}:ro`],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      },
    };
  }

  async #ours(): Promise<string[]> {
    const filters = { label: [`berth.instance=${this.#options.instance}`, 'berth.role=proxy'] };
    const found = await this.#docker.json<{ Id: string }[]>({
      method: 'GET',
      path: `/containers/json?all=true&filters=${encodeURIComponent(JSON.stringify(filters))}`,
    });
    return found.map((container) => container.Id);
  }
}

/** A daemon that does not answer says nothing about the container: Docker brings it back with itself. */
export async function hasContainer(docker: DockerSocket, id: string): Promise<boolean> {
  try {
    await docker.text({ method: 'GET', path: `/containers/${id}/json` });
    return true;
  } catch (error) {
    return !(error instanceof DockerRefused && error.status === 404);
  }
}

/** Stops and removes by id; gone: no error. */
export async function removeContainer(docker: DockerSocket, id: string): Promise<void> {
  try {
    // Stopped first: what it is answering may end.
    await docker.text({ method: 'POST', path: `/containers/${id}/stop?t=10` });
    await docker.text({ method: 'DELETE', path: `/containers/${id}?force=true&v=true` });
  } catch (error) {
    if (!(error instanceof DockerRefused && error.status === 404)) throw error;
  }
}
