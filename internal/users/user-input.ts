import { z } from 'zod';
import { id } from '../openapi/schemas.ts';
import { ROLES, userExample } from './user-view.ts';

export const userIdParams = z.object({ id: id.meta({ param: { example: userExample.id } }) });

export const userChangeSchema = z
  .strictObject({ role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`) })
  .meta({ id: 'UserChange', examples: [{ role: 'owner' }] });

export const deleteUserQuery = z.strictObject({
  take_projects: z.enum(['true', 'false']).optional().meta({
    type: 'boolean',
    description: 'Their projects, with all apps, become yours and run on.',
  }),
});
