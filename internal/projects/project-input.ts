import { z } from 'zod';
import { hostLabel } from '../openapi/schemas.ts';
import { isProjectName, MAX_PROJECT_NAME } from '../routing/hosts.ts';

const projectName = hostLabel(
  isProjectName,
  MAX_PROJECT_NAME,
  'Part of the name of its network, and of host names of apps that share their name with another one.',
);

export const newProjectSchema = z
  .strictObject({ name: projectName })
  .meta({ id: 'NewProject', examples: [{ name: 'shop' }] });

const deploymentLimit = z.int().min(1).max(64).nullable().meta({
  description: 'How many deployments of its apps may run at a time. Null: as many as the workers take.',
});

export const projectChangeSchema = z
  .strictObject({ name: projectName.optional(), deployment_limit: deploymentLimit.optional() })
  .meta({ id: 'ProjectChange', examples: [{ name: 'store' }, { deployment_limit: 2 }] });
