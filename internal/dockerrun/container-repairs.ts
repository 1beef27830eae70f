import type Docker from 'dockerode';
import type { ContainerRepairs } from '../engine/ports.ts';
import { labelFilter } from './container-labels.ts';
import { GATE_MOUNT } from './container-spec.ts';
import { dockerCall, messageOf, statusOf, unlessDone } from './docker-call.ts';
import { execInContainer } from './exec-in-container.ts';
import { removeContainer, stopContainer } from './remove-container.ts';
import { startFailure } from './start-failure.ts';

/** The command of a container that the classic builder makes for a step that runs nothing, only to commit it. */
const WRITES_ONLY = '#(nop) ';

/** Labels of containers that are removed by whoever made them, within a second. */
const FOR_A_MOMENT = ['berth.nudge', 'berth.gate-tool'];

const ROUTER_PRIORITY = /^traefik\.http\.routers\.[^.]+\.priority$/;

/**
 * Finds the hold by its arguments, which the kernel ends with NULs that `read` drops, and ends it. In busybox's words,
 * since there may be no shell in the container, and its `killall` would end an app that is a busybox, too.
 */
const END_HOLD = `for process in /proc/[0-9]*; do
  words=
  read -r words <$process/cmdline
  [ "$words" = ${GATE_MOUNT}/busyboxsleep3600 ] && kill \${process#/proc/} && echo ended
done 2>/dev/null`;

/** Repairs over the Docker socket: each call has a deadline, so a frozen daemon holds nobody for ever (F18). */
export class DockerContainerRepairs implements ContainerRepairs {
  readonly #docker: Docker;
  readonly #ours: { readonly label: string[] };

  constructor(options: { docker: Docker; instanceId: string }) {
    this.#docker = options.docker;
    this.#ours = labelFilter({ 'berth.instance': options.instanceId });
  }

  async startAgain(containerId: string): Promise<void> {
    try {
      await dockerCall('start the container', this.#docker.getContainer(containerId).start());
    } catch (error) {
      if (statusOf(error) !== 304) throw startFailure(error);
    }
  }

  async unpause(containerId: string): Promise<void> {
    try {
      await unlessDone(dockerCall('resume the container', this.#docker.getContainer(containerId).unpause()));
    } catch (error) {
      if (!/not paused/i.test(messageOf(error))) throw error;
    }
  }

  async restart(containerId: string, graceSeconds: number): Promise<void> {
    const restarted = this.#docker.getContainer(containerId).restart({ t: graceSeconds });
    await unlessDone(dockerCall('restart the container', restarted, (graceSeconds + 30) * 1000));
  }

  stop(containerId: string, graceSeconds: number): Promise<void> {
    return stopContainer(this.#docker, containerId, graceSeconds);
  }

  remove(containerId: string): Promise<void> {
    return removeContainer(this.#docker, containerId, { volumes: false });
  }

  async networks(): Promise<ReadonlyMap<string, string>> {
    const found = await dockerCall('list networks', this.#docker.listNetworks({ filters: this.#ours }));
    return new Map(found.map(({ Name, Id }) => [Name, Id]));
  }

  async joinNetwork(
    containerId: string,
    { name, address, alias }: { name: string; address: string; alias: string },
  ): Promise<void> {
    const network = this.#docker.getNetwork(name);
    try {
      await dockerCall('leave a network', network.disconnect({ Container: containerId, Force: true }));
    } catch (error) {
      // It was not in it; what counts is that it is in it afterwards.
      if (statusOf(error) === null) throw error;
    }
    const EndpointConfig = { IPAMConfig: { IPv4Address: address }, Aliases: [alias] };
    try {
      await dockerCall('join a network', network.connect({ Container: containerId, EndpointConfig }));
    } catch (error) {
      throw startFailure(error);
    }
  }

  async endHold(containerId: string): Promise<boolean> {
    try {
      const command = [`${GATE_MOUNT}/busybox`, 'sh', '-c', END_HOLD];
      return (await execInContainer(this.#docker.getContainer(containerId), command)).includes('ended');
    } catch (error) {
      // It has ended, or is at its pids limit.
      if (statusOf(error) === null) throw error;
      return false;
    }
  }

  async buildSteps(): Promise<{ containerId: string; appId: string }[]> {
    return (await this.#all()).flatMap(({ Id, Labels, Command }) => {
      const { 'berth.app': appId, 'berth.deployment': deploymentId, 'berth.replica': replica } = Labels;
      // Layers of a build tell the app only; from its last step on, which writes our labels, it looks like one that
      // somebody made of the image by hand.
      const isStep = deploymentId === undefined || Command.includes(WRITES_ONLY);
      return appId && isStep && replica === undefined ? [{ containerId: Id, appId }] : [];
    });
  }

  async outlived(seconds: number): Promise<string[]> {
    const latest = Date.now() / 1000 - seconds;
    return (await this.#all()).flatMap(({ Id, Labels, Created }) =>
      FOR_A_MOMENT.some((label) => label in Labels) && Created < latest ? [Id] : [],
    );
  }

  async highestRoutePriority(): Promise<number> {
    const found = await this.#all();
    const priorities = found.flatMap(({ Labels }) =>
      Object.entries(Labels).flatMap(([name, value]) => (ROUTER_PRIORITY.test(name) ? Number(value) : [])),
    );
    return Math.max(0, ...priorities.filter(Number.isSafeInteger));
  }

  #all(): Promise<Docker.ContainerInfo[]> {
    const options = { all: true, filters: this.#ours };
    return dockerCall('list containers', this.#docker.listContainers(options));
  }
}
