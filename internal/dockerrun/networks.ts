import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { NetworkInspectInfo } from 'dockerode';
import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { dockerCall, messageOf, statusOf, unlessDone } from './docker-call.ts';
import { routedSubnets } from './proc-net.ts';

const APPEARS_WITHIN_MS = 2000;
const ASK_AGAIN_MS = 50;

interface ProjectNetwork {
  readonly name: string;
  readonly subnet: string;
  readonly projectId: string;
  readonly ownerHash: string;
}

/**
 * Makes the project's bridge if it is missing. Two workers may try at once: whoever loses finds the winner's.
 * @throws DeploymentFailed when the name or the subnet belongs to something else
 */
export async function ensureNetwork(
  docker: Docker,
  instanceId: string,
  network: ProjectNetwork,
): Promise<void> {
  if (await isThere(docker, instanceId, network)) return;
  try {
    await dockerCall(
      'make a network',
      docker.createNetwork({
        Name: network.name,
        Driver: 'bridge',
        CheckDuplicate: true,
        IPAM: { Driver: 'default', Config: [{ Subnet: network.subnet }] },
        Labels: {
          'berth.instance': instanceId,
          'berth.project': network.projectId,
          'berth.owner': network.ownerHash,
        },
      }),
    );
  } catch (error) {
    if (statusOf(error) === null) throw error;
    if (await appears(docker, instanceId, network)) return;
    const reason = `The network ${network.name} (${network.subnet}) could not be made: ${messageOf(error)}.`;
    throw new DeploymentFailed('internal', reason, { cause: error });
  }
}

/** Removes a network of this instance. Gone: no error; in use or not ours: an error. */
export async function removeNetwork(docker: Docker, instanceId: string, name: string): Promise<void> {
  const found = await inspect(docker, name);
  if (!found) return;
  if (found.Labels?.['berth.instance'] !== instanceId) {
    throw new Error(`the network ${name} is not of this instance`);
  }
  await unlessDone(dockerCall('remove a network', docker.getNetwork(found.Id).remove()));
}

/** CIDRs that a new subnet must not touch: those of all Docker networks, and the routes of this host. */
export async function usedSubnets(docker: Docker): Promise<string[]> {
  const networks = await dockerCall('list networks', docker.listNetworks());
  const ofDocker = networks.flatMap(({ IPAM }) =>
    (IPAM?.Config ?? []).flatMap((config) => config['Subnet'] ?? []),
  );
  const ofHost = routedSubnets(await readFile('/proc/net/route', 'utf8'));
  return [...new Set([...ofDocker, ...ofHost])];
}

/** The daemon refuses a second network of that subnet a moment before it lists the first. */
async function appears(docker: Docker, instanceId: string, wanted: ProjectNetwork): Promise<boolean> {
  const deadline = performance.now() + APPEARS_WITHIN_MS;
  do {
    if (await isThere(docker, instanceId, wanted)) return true;
    await delay(ASK_AGAIN_MS);
  } while (performance.now() < deadline);
  return false;
}

async function isThere(docker: Docker, instanceId: string, wanted: ProjectNetwork): Promise<boolean> {
  const found = await inspect(docker, wanted.name);
  if (!found) return false;
  const subnets = (found.IPAM?.Config ?? []).map((config) => config['Subnet']);
  const ours = found.Labels?.['berth.instance'] === instanceId;
  if (ours && subnets.includes(wanted.subnet)) return true;
  const clash = ours ? `has the subnet ${subnets.join(', ')}` : 'belongs to something else';
  throw new DeploymentFailed(
    'internal',
    `The network ${wanted.name} ${clash}; ${wanted.subnet} is expected.`,
  );
}

async function inspect(docker: Docker, name: string): Promise<NetworkInspectInfo | null> {
  const found: NetworkInspectInfo | null = await unlessDone(
    dockerCall('look for a network', docker.getNetwork(name).inspect()),
  );
  // Docker takes the beginning of an id too.
  return found?.Name === name ? found : null;
}
