import { z } from 'zod';
import { id, time } from '../openapi/schemas.ts';
import type { ProjectWithCount } from './project-store.ts';

export const projectSchema = z
  .object({
    id,
    name: z.string(),
    status: z.enum(['active', 'deleting']),
    network: z.string().meta({
      description:
        'The Docker network of its apps: they reach each other there by name, and nobody else does. ' +
        'It keeps its name when the project gets another one.',
    }),
    apps_count: z.int(),
    deployment_limit: z.int().nullable(),
    created_at: time,
  })
  .meta({
    id: 'Project',
    examples: [
      {
        id: 'b7mzq4rt2c',
        name: 'shop',
        status: 'active',
        network: 'qx4kfa-shop',
        apps_count: 3,
        deployment_limit: null,
        created_at: '2026-11-20T10:00:00.000Z',
      },
    ],
  });

export function viewProject(project: ProjectWithCount): z.input<typeof projectSchema> {
  return {
    id: project.id,
    name: project.name,
    status: project.deletingSince ? 'deleting' : 'active',
    network: project.networkName,
    apps_count: project._count.apps,
    deployment_limit: project.deploymentLimit,
    created_at: project.createdAt.toISOString(),
  };
}
