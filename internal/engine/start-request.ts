import type { ReleaseConfig } from '../deployments/config-snapshot.ts';
import { runtimeEnvironment } from '../deployments/release-environment.ts';
import { containerName } from '../routing/container-names.ts';
import { traefikLabels } from '../routing/traefik-labels.ts';
import { argumentsOf } from './command-line.ts';
import type { AttemptRef, StartRequest } from './ports.ts';

/** A release as it is to run: what its row and its snapshot say. */
export interface ReleasePlan {
  readonly ref: AttemptRef;
  readonly config: ReleaseConfig;
  readonly imageId: string;
  readonly port: number;
  readonly network: StartRequest['network'];
  readonly baseDomain: string;
  /** Its place in the global order of releases. */
  readonly routeSequence: number;
}

export function replicaName({ ref }: Pick<ReleasePlan, 'ref'>, replica: number): string {
  return containerName({ ...ref, replica });
}

/**
 * One container of a release. The candidate and the one that replaces it after a year are made by this function alone,
 * so that they are the same: name, address, labels with the route's priority, limits, environment.
 */
export function startRequest(
  plan: ReleasePlan,
  of: Pick<StartRequest, 'replica' | 'address' | 'gate'>,
): StartRequest {
  const { ref, config, port, network } = plan;
  return {
    ref,
    ...of,
    containerName: replicaName(plan, of.replica),
    imageId: plan.imageId,
    port,
    network,
    alias: ref.appName,
    environment: runtimeEnvironment(config),
    // Of a generated Dockerfile it is the CMD already, and the same once more.
    command: config.startCommand === null ? null : argumentsOf(config.startCommand),
    limits: { memoryMb: config.memoryMb, cpus: config.cpus, pids: config.pidsLimit },
    routingLabels: traefikLabels({
      appName: ref.appName,
      deploymentId: ref.deploymentId,
      baseDomain: plan.baseDomain,
      hosts: config.hosts,
      port,
      networkName: network.name,
      sequence: plan.routeSequence,
    }),
  };
}
