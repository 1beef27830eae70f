import type Docker from 'dockerode';
import type { Container, ContainerCreateOptions } from 'dockerode';
import type { RunningContainer, StartRequest } from '../engine/ports.ts';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { Logger } from '../logger/logger.ts';
import { containerSpec } from './container-spec.ts';
import { dockerCall, statusOf, unlessDone } from './docker-call.ts';
import type { GateFolders } from './gate-files.ts';
import { removeContainer } from './remove-container.ts';
import { startFailure } from './start-failure.ts';

export interface Runtime {
  readonly docker: Docker;
  readonly instanceId: string;
  readonly gate: GateFolders;
  readonly logger: Logger;
}

/** Gate folder, container, start; whatever fails, neither of them stays. */
export async function startContainer(
  runtime: Runtime,
  request: StartRequest,
  signal: AbortSignal,
): Promise<RunningContainer> {
  const { ref, replica } = request;
  signal.throwIfAborted();
  const gateFolder = await runtime.gate.create(ref, replica, request);
  try {
    const spec = containerSpec(request, { instanceId: runtime.instanceId, gateFolder });
    const container = await createContainer(runtime, request.containerName, spec);
    signal.throwIfAborted();
    await dockerCall('start the container', container.start());
    return {
      containerId: container.id,
      containerName: request.containerName,
      address: request.address,
      deploymentId: ref.deploymentId,
      attempt: ref.attempt,
      appId: ref.appId,
      replica,
      port: request.port,
    };
  } catch (error) {
    await undo(runtime, request);
    throw startFailure(error);
  }
}

/** A name that is taken by an earlier try of ours is freed; by anything else it is an error (409 tells no more). */
async function createContainer(
  runtime: Runtime,
  name: string,
  spec: ContainerCreateOptions,
): Promise<Container> {
  const create = () => dockerCall('create the container', runtime.docker.createContainer(spec));
  try {
    return await create();
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
    await removeOurs(runtime, name);
    return create();
  }
}

/** By name, since a create that ended at its deadline may have made the container all the same. */
async function undo(runtime: Runtime, request: StartRequest): Promise<void> {
  try {
    await removeOurs(runtime, request.containerName);
    await runtime.gate.remove(request.ref, request.replica);
  } catch (error) {
    runtime.logger.error({ err: error, container: request.containerName }, 'candidate not removed');
  }
}

async function removeOurs({ docker, instanceId }: Runtime, name: string): Promise<void> {
  const found = await unlessDone(dockerCall('look for a container', docker.getContainer(name).inspect()));
  if (found?.Name !== `/${name}`) return;
  if (found.Config.Labels['berth.instance'] !== instanceId) {
    throw new DeploymentFailed(
      'internal',
      `A container named ${name} exists that is not of this installation; remove or rename it.`,
    );
  }
  await removeContainer(docker, found.Id);
}
