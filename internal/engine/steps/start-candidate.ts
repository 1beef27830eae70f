import { releaseAddresses, reserveAddress } from '../../deployments/address-store.ts';
import { recordCandidate } from '../../deployments/deployment-store.ts';
import { beginStep } from '../begin-step.ts';
import { choosePort } from '../choose-port.ts';
import { endContainers, NO_GRACE_SECONDS } from '../end-containers.ts';
import { attemptRef, type Candidate, type Job, type Tools } from '../job.ts';
import type { BuiltImage, RunningContainer } from '../ports.ts';
import { replicaName, startRequest } from '../start-request.ts';
import { projectNetwork } from './project-network.ts';

/** Starts the containers of the new release beside the old one; the proxy does not see them before they are healthy. */
export async function startCandidate(job: Job, tools: Tools, image: BuiltImage): Promise<Candidate> {
  await beginStep(job, tools, 'starting');
  const { config, row } = job;
  const port = choosePort(config.port, image.exposedPorts);
  const { routeSequence } = await recordCandidate(tools.prisma, job.claim, port);
  const network = await projectNetwork(job, tools);
  const plan = {
    ref: attemptRef(job),
    config,
    imageId: image.imageId,
    port,
    network,
    baseDomain: tools.settings.baseDomain,
    routeSequence,
  };

  const started: RunningContainer[] = [];
  const names: string[] = [];
  try {
    for (let replica = 1; replica <= config.replicas; replica++) {
      const name = replicaName(plan, replica);
      names.push(name);
      const address = await reserveAddress(tools.prisma, {
        projectId: row.app.projectId,
        subnet: network.subnet,
        deploymentId: row.id,
        containerName: name,
      });
      await tools.checkpoint('reserved');
      const request = startRequest(plan, { replica, address, gate: 'closed' });
      started.push(await tools.containers.start(request, job.signal));
      await tools.checkpoint('started');
    }
  } catch (error) {
    try {
      await endContainers(tools, started, NO_GRACE_SECONDS);
      // The one that could not be started has no container to end, but an address.
      await releaseAddresses(tools.prisma, names);
    } catch (later) {
      tools.logger.error({ err: later }, 'candidate not removed; the reconciler will');
    }
    throw error;
  }
  job.say({
    text: `Started ${started.map((container) => container.containerName).join(', ')}`,
    level: 'deploy',
  });
  return { attempt: job.claim.attempt, port, containers: started };
}
