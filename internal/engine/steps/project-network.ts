import { projectSubnet } from '../../deployments/address-store.ts';
import type { Job, Tools } from '../job.ts';
import type { StartRequest } from '../ports.ts';

/** The bridge network of the app's project, made where it is missing. */
export async function projectNetwork(job: Job, tools: Tools): Promise<StartRequest['network']> {
  const { project } = job.row.app;
  const { prisma, containers, settings } = tools;
  const readUsed = () => containers.usedSubnets();
  const subnet = await projectSubnet(prisma, project.id, { pool: settings.networkPool, readUsed });
  const network = { name: project.networkName, subnet };
  await containers.ensureNetwork({ ...network, projectId: project.id, ownerHash: project.user.hash });
  return network;
}
