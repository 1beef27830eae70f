import type { Tools } from './job.ts';
import { deleteProjectRow, projectsToRemove } from './remove-project-store.ts';

type RemovalTools = Pick<Tools, 'prisma' | 'containers' | 'logger'>;

/**
 * Ends the projects whose deletion was asked for. Their apps have been asked to go in the same breath and are removed
 * first (remove-app.ts); then the network, and last the row, by which the next pass goes on after a crash.
 */
export async function removeDeletedProjects(tools: RemovalTools): Promise<void> {
  for (const project of await projectsToRemove(tools.prisma)) {
    try {
      await tools.containers.removeNetwork(project.networkName);
      await deleteProjectRow(tools.prisma, project.id);
      tools.logger.info({ projectId: project.id, projectName: project.name }, 'project removed');
    } catch (error) {
      const phrase = 'project not removed yet, trying again at the next pass';
      tools.logger.warn({ err: error, projectId: project.id }, phrase);
    }
  }
}
