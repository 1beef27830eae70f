import type { GateFolder, RunningContainer } from './ports.ts';

/** What the database says of one deployment, as far as its leftovers go. */
export interface DeploymentFacts {
  /** A worker has it, will have it, or should have had it. */
  readonly inFlight: boolean;
  readonly isLive: boolean;
  readonly candidateAttempt: number | null;
}

type Facts = ReadonlyMap<string, DeploymentFacts>;

/**
 * Containers of ours that no row explains any more: of a deployment that has ended and is not live, or of an attempt
 * that is not the release's. A container whose deployment has no row at all is not judged here: rows may have been
 * restored from a backup, and what we do not know we do not remove.
 */
export function leftoverContainers(
  all: readonly RunningContainer[],
  facts: Facts,
  busyApps: ReadonlySet<string>,
): RunningContainer[] {
  return all.filter((container) => {
    const deployment = facts.get(container.deploymentId);
    if (!deployment || deployment.inFlight || busyApps.has(container.appId)) return false;
    return !deployment.isLive || deployment.candidateAttempt !== container.attempt;
  });
}

/**
 * Our networks that no project has. None is judged while there is a container that no row explains: it may be in one of
 * them, and Docker keeps a network only for containers that run.
 */
export function leftoverNetworks(
  names: Iterable<string>,
  ofProjects: ReadonlySet<string>,
  containers: readonly Pick<RunningContainer, 'deploymentId'>[],
  facts: Facts,
): string[] {
  if (containers.some(({ deploymentId }) => !facts.has(deploymentId))) return [];
  return [...names].filter((name) => !ofProjects.has(name));
}

/**
 * Names of containers that are gone with their addresses still reserved: their worker was killed before it had said so.
 * A live release keeps those of its own, since a replica that is made anew gets the same.
 */
export function leftoverAddresses(
  reserved: readonly { readonly deploymentId: string | null; readonly containerName: string }[],
  facts: Facts,
  containers: readonly Pick<RunningContainer, 'containerName'>[],
): string[] {
  const there = new Set(containers.map(({ containerName }) => containerName));
  return reserved.flatMap(({ deploymentId, containerName }) => {
    const deployment = deploymentId === null ? undefined : facts.get(deploymentId);
    const isWanted = deployment?.inFlight || deployment?.isLive || there.has(containerName);
    return isWanted ? [] : [containerName];
  });
}

/** Deployments whose clone folders nobody needs: a folder lives only while its deployment is under way. */
export function leftoverFolders(withFolder: readonly string[], facts: Facts): string[] {
  return withFolder.filter((id) => !facts.get(id)?.inFlight);
}

/**
 * Gate folders that serve no container: of an ended deployment, or of an earlier attempt at the release that serves,
 * whose worker was killed before it had a container.
 */
export function leftoverGates(
  folders: readonly GateFolder[],
  facts: Facts,
  containers: readonly RunningContainer[],
): GateFolder[] {
  const nameOf = ({ deploymentId, attempt, replica }: GateFolder) => `${deploymentId}-${attempt}-${replica}`;
  const inUse = new Set(containers.map(nameOf));
  return folders.filter((folder) => {
    const deployment = facts.get(folder.deploymentId);
    if (deployment?.inFlight || inUse.has(nameOf(folder))) return false;
    // The release's own may be there for a container that is being made anew this moment.
    return !deployment?.isLive || deployment.candidateAttempt !== folder.attempt;
  });
}
