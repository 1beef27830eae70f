import { projectSubnet } from '../../deployments/address-store.ts';
import type { Job, Tools } from '../job.ts';
import type { StartRequest } from '../ports.ts';

/** The bridge network of the app's project, made where it is missing. */
export async function projectNetwork(job: Job, tools: Tools): Promise<StartRequest['network']> {
  const { project } = job.row.app;
  const used = await tools.containers.usedSubnets();
  const subnet = await projectSubnet(tools.prisma, project, { pool: tools.settings.networkPool, used });
  const network = { name: project.networkName, subnet };
  await tools.containers.ensureNetwork({ ...network, projectId: project.id, ownerHash: project.user.hash });
  return network;
}
