import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { DockerContainerRunner } from '../../internal/dockerrun/container-runner.ts';
import { GateFolders } from '../../internal/dockerrun/gate-files.ts';
import { installGateTool } from '../../internal/dockerrun/gate-tool.ts';
import type { ContainerState, RunningContainer, StartRequest } from '../../internal/engine/ports.ts';
import { importImage } from '../../internal/host/import-image.ts';
import { packRootFileSystem } from '../../internal/host/root-file-system.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { DockerObjects } from './docker-objects.ts';
import { waitUntil } from './wait-until.ts';

const BUSYBOX = '/usr/bin/busybox';

/** An installation of its own on the real daemon: instance, gate folder, one project network. `close` leaves nothing. */
export class ContainerLab {
  readonly instanceId = randomName();
  readonly docker: Dockerode;
  readonly gateDir: string;
  readonly gate: GateFolders;
  readonly runner: DockerContainerRunner;
  readonly objects: DockerObjects;
  readonly network: StartRequest['network'];
  #lastAddress = 1;

  private constructor(gateDir: string, docker: Dockerode) {
    this.docker = docker;
    this.gateDir = gateDir;
    this.gate = new GateFolders(gateDir);
    this.objects = new DockerObjects(this.instanceId);
    this.runner = new DockerContainerRunner({
      docker,
      instanceId: this.instanceId,
      gateDir,
      logger: createLogger({ level: 'silent', process: 'worker' }),
    });
    this.network = this.randomNetwork();
  }

  /** On the machine's daemon, or on another, which is then to be closed first. */
  static async open(docker = new Dockerode()): Promise<ContainerLab> {
    const lab = new ContainerLab(await mkdtemp(join(tmpdir(), 'berth-gate-')), docker);
    await installGateTool({
      gateDir: lab.gateDir,
      setting: null,
      docker,
      instanceId: lab.instanceId,
      image: 'none',
    });
    await lab.ensureNetwork(lab.network);
    return lab;
  }

  async close(): Promise<void> {
    await this.objects.removeAll();
    await rm(this.gateDir, { recursive: true, force: true });
  }

  /** A network that nobody has yet. */
  randomNetwork(): StartRequest['network'] {
    return {
      name: `t-${randomName()}`,
      subnet: `10.${randomInt(100, 240)}.${randomInt(0, 256)}.0/24`,
    };
  }

  async ensureNetwork(network: StartRequest['network']): Promise<void> {
    await this.runner.ensureNetwork({ ...network, projectId: 'project', ownerHash: 'owner' });
  }

  /** An image that holds one static program and nothing else: no shell, no /etc, no /tmp. */
  async scratchImage(...changes: string[]): Promise<string> {
    return importImage(this.docker, {
      repository: `berth-test/${this.instanceId}`,
      tag: randomName(),
      files: packRootFileSystem([{ path: '/busybox', from: BUSYBOX }]),
      changes: [`LABEL berth.instance=${this.instanceId}`, ...changes],
    });
  }

  /** A request for an app that listens on port 8080 at once. */
  request(imageId: string, change: Partial<StartRequest> = {}): StartRequest {
    const deploymentId = randomName();
    const network = change.network ?? this.network;
    return {
      ref: {
        deploymentId,
        attempt: 1,
        appId: 'app',
        appName: 'web',
        projectId: 'project',
        ownerHash: 'owner',
      },
      replica: 1,
      containerName: `web-${deploymentId}`,
      imageId,
      port: 8080,
      network,
      address: network.subnet.replace(/0\/24$/, String(++this.#lastAddress)),
      alias: 'web',
      environment: {},
      command: ['/busybox', 'httpd', '-f', '-p', '8080'],
      limits: { memoryMb: 64, cpus: 1, pids: 512 },
      routingLabels: {},
      gate: 'closed',
      ...change,
    };
  }

  start(request: StartRequest): Promise<RunningContainer> {
    return this.runner.start(request, new AbortController().signal);
  }

  /** Waits until the container's state is as wanted, and gives it. */
  async until(
    container: RunningContainer,
    what: string,
    wanted: (state: ContainerState) => boolean,
  ): Promise<ContainerState> {
    return waitUntil(`the container to be ${what}`, async () => {
      const state = await this.runner.state(container.containerId);
      return state !== null && wanted(state) ? state : null;
    });
  }

  async health(container: RunningContainer): Promise<ContainerState['health']> {
    return (await this.runner.state(container.containerId))?.health ?? 'none';
  }
}

function randomName(): string {
  return `t${randomBytes(5)
    .toString('hex')
    .replaceAll(/[018 9]/g, 'x')}`;
}
