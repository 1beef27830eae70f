import { dirname } from 'node:path';
import type Docker from 'dockerode';
import { labelFilter } from './container-labels.ts';
import { GATE_MOUNT, gateMount } from './container-spec.ts';
import { dockerCall } from './docker-call.ts';
import { gateToolPath } from './gate-tool.ts';
import { removeContainer } from './remove-container.ts';

/**
 * Starts and removes a container that does nothing: its `start` and `die` make Traefik list all containers again, which
 * it has to when it missed an event. It runs the gate tool in an image of ours, of which there is one wherever there is
 * a route to be found; without any there is nothing to do. What a worker leaves that is killed in the middle of it is
 * removed with what is left of builds.
 */
export async function nudgeProxy(options: {
  docker: Docker;
  instanceId: string;
  gateDir: string;
}): Promise<void> {
  const { docker, instanceId, gateDir } = options;
  const ours = { 'berth.instance': instanceId };
  const images = await dockerCall('list images', docker.listImages({ filters: labelFilter(ours) }));
  const inUse = await dockerCall('list containers', docker.listContainers({ filters: labelFilter(ours) }));
  const image = inUse[0]?.ImageID ?? images[0]?.Id;
  if (!image) return;

  const container = await dockerCall(
    'create a container',
    docker.createContainer({
      Image: image,
      Entrypoint: [`${GATE_MOUNT}/busybox`],
      Cmd: ['true'],
      User: '65534',
      // The image's labels are inherited: without these it would look like a container of its app.
      Labels: { ...ours, 'berth.nudge': 'true', 'berth.deployment': '', 'berth.app': '' },
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        PidsLimit: 16,
        LogConfig: { Type: 'none', Config: {} },
        Mounts: gateMount(dirname(gateToolPath(gateDir))),
      },
    }),
  );
  try {
    await dockerCall('start a container', container.start());
  } finally {
    await removeContainer(docker, container.id);
  }
}
