import type Docker from 'dockerode';
import { FrameReader } from '../dockerstream/output-frames.ts';
import type {
  ContainerRunner,
  ContainerState,
  ListeningPort,
  RunningContainer,
  StartRequest,
} from '../engine/ports.ts';
import type { Logger } from '../logger/logger.ts';
import { labelFilter, readOwnerLabels } from './container-labels.ts';
import { GATE_MOUNT } from './container-spec.ts';
import { containerState } from './container-state.ts';
import { dockerCall, statusOf, unlessDone } from './docker-call.ts';
import { execInContainer } from './exec-in-container.ts';
import { GateFolders } from './gate-files.ts';
import { ensureNetwork, removeNetwork, usedSubnets } from './networks.ts';
import { nudgeProxy } from './nudge-proxy.ts';
import { lastLines } from './plain-lines.ts';
import * as procNet from './proc-net.ts';
import { removeContainer, setRestartPolicy, stopContainer } from './remove-container.ts';
import { sawEnd } from './saw-end.ts';
import { type Runtime, startContainer } from './start-container.ts';

const READ_SOCKETS = [`${GATE_MOUNT}/busybox`, 'cat', '/proc/net/tcp', '/proc/net/tcp6'];
const MAX_LOG_LINES = 200;

/**
 * Containers and networks of one installation, over the Docker socket. Whatever it lists or removes carries the label of
 * this instance. It never awaits `wait()`, which does not settle when the daemon dies: it asks `state` again instead.
 */
export class DockerContainerRunner implements ContainerRunner {
  readonly #docker: Docker;
  readonly #instanceId: string;
  readonly #gateDir: string;
  readonly #runtime: Runtime;

  constructor(options: { docker: Docker; instanceId: string; gateDir: string; logger: Logger }) {
    this.#docker = options.docker;
    this.#instanceId = options.instanceId;
    this.#gateDir = options.gateDir;
    this.#runtime = {
      docker: options.docker,
      instanceId: options.instanceId,
      gate: new GateFolders(options.gateDir),
      logger: options.logger,
    };
  }

  ensureNetwork(network: Parameters<ContainerRunner['ensureNetwork']>[0]): Promise<void> {
    return ensureNetwork(this.#docker, this.#instanceId, network);
  }

  usedSubnets(): Promise<string[]> {
    return usedSubnets(this.#docker);
  }

  removeNetwork(name: string): Promise<void> {
    return removeNetwork(this.#docker, this.#instanceId, name);
  }

  start(request: StartRequest, signal: AbortSignal): Promise<RunningContainer> {
    return startContainer(this.#runtime, request, signal);
  }

  async state(containerId: string): Promise<ContainerState | null> {
    const info = await unlessDone(dockerCall('look at a container', this.#container(containerId).inspect()));
    return info && containerState(info);
  }

  sawEnd(containerId: string, startedAt: string): Promise<boolean> {
    return sawEnd(this.#docker, containerId, startedAt);
  }

  async list(filter: { deploymentId?: string; appId?: string }): Promise<RunningContainer[]> {
    const labels = {
      'berth.instance': this.#instanceId,
      ...(filter.deploymentId === undefined ? {} : { 'berth.deployment': filter.deploymentId }),
      ...(filter.appId === undefined ? {} : { 'berth.app': filter.appId }),
    };
    const found = await dockerCall(
      'list containers',
      this.#docker.listContainers({ all: true, filters: labelFilter(labels) }),
    );
    return found.flatMap((info) => {
      const owner = readOwnerLabels(info.Labels);
      // The address asked for: an ended container has no other.
      const network = Object.values(info.NetworkSettings.Networks)[0];
      const address: unknown = network?.IPAMConfig?.IPv4Address ?? network?.IPAddress ?? '';
      const containerName = info.Names[0]?.replace(/^\//, '') ?? '';
      return owner && typeof address === 'string'
        ? [{ containerId: info.Id, containerName, address, ...owner }]
        : [];
    });
  }

  setRestartPolicy(containerId: string, policy: 'no' | 'always'): Promise<void> {
    return setRestartPolicy(this.#docker, containerId, policy);
  }

  async stopAndRemove(
    container: RunningContainer,
    graceSeconds: number,
    beforeRemove?: () => Promise<void>,
  ): Promise<void> {
    await stopContainer(this.#docker, container.containerId, graceSeconds);
    await beforeRemove?.();
    await removeContainer(this.#docker, container.containerId);
    await this.#runtime.gate.remove(container, container.replica);
  }

  async listeningPorts(containerId: string): Promise<ListeningPort[]> {
    return procNet.listeningPorts((await this.#readSockets(containerId)) ?? '');
  }

  async establishedConnections(container: RunningContainer): Promise<number | null> {
    const table = await this.#readSockets(container.containerId);
    return table === null ? null : procNet.establishedConnections(table, container.port);
  }

  async logTail(containerId: string, lines: number): Promise<string[]> {
    const count = Math.min(lines, MAX_LOG_LINES);
    const output = await unlessDone(
      dockerCall(
        'hand out the log',
        this.#container(containerId).logs({ stdout: true, stderr: true, tail: count }),
      ),
    );
    return output === null ? [] : lastLines(new FrameReader().push(output), count);
  }

  nudgeProxy(): Promise<void> {
    return nudgeProxy({ docker: this.#docker, instanceId: this.#instanceId, gateDir: this.#gateDir });
  }

  /**
   * Makes the daemon run the health check of a running container again. Engines of 17.11 to 22 stop it for good when
   * they restart under a container (live-restore; moby#41871), so a candidate would wait for ever. Pausing for a moment
   * is the one way to begin anew without a restart. Docker says `unhealthy` meanwhile: not for one that is healthy.
   */
  async restartHealthCheck(containerId: string): Promise<void> {
    const container = this.#container(containerId);
    await unlessDone(dockerCall('pause the container', container.pause()));
    await unlessDone(dockerCall('resume the container', container.unpause()));
  }

  /** Null: nothing was read, since it is gone, has ended, or is at its pids limit. */
  async #readSockets(containerId: string): Promise<string | null> {
    try {
      return (await execInContainer(this.#container(containerId), READ_SOCKETS)) || null;
    } catch (error) {
      if (statusOf(error) !== null) return null;
      throw error;
    }
  }

  #container(id: string): Docker.Container {
    return this.#docker.getContainer(id);
  }
}
