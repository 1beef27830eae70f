import type { RunningContainer, StartRequest } from '../engine/ports.ts';

/** Whose a container is. Every filter names the instance, so two installations never touch each other. */
export function ownerLabels(
  instanceId: string,
  { ref, replica, port }: Pick<StartRequest, 'ref' | 'replica' | 'port'>,
): Record<string, string> {
  return {
    'berth.instance': instanceId,
    'berth.app': ref.appId,
    'berth.app-name': ref.appName,
    'berth.deployment': ref.deploymentId,
    'berth.attempt': String(ref.attempt),
    'berth.replica': String(replica),
    'berth.port': String(port),
    'berth.project': ref.projectId,
    'berth.owner': ref.ownerHash,
  };
}

/** A label filter of Docker's API: all of the given labels must match. */
export function labelFilter(labels: Readonly<Record<string, string>>): { label: string[] } {
  return { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) };
}

/** What the labels of a listed container say; null when they are not those of an app's container. */
export function readOwnerLabels(
  labels: Readonly<Record<string, string>>,
): Pick<RunningContainer, 'deploymentId' | 'attempt' | 'appId' | 'replica' | 'port'> | null {
  const deploymentId = labels['berth.deployment'];
  const appId = labels['berth.app'];
  const attempt = Number(labels['berth.attempt']);
  const replica = Number(labels['berth.replica']);
  const port = Number(labels['berth.port']);
  const complete = deploymentId && appId && attempt >= 1 && replica >= 0 && port >= 1;
  return complete ? { deploymentId, appId, attempt, replica, port } : null;
}
