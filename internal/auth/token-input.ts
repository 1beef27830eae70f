import { z } from 'zod';
import { SCOPES } from '../openapi/operation.ts';
import { id } from '../openapi/schemas.ts';

const MAX_DAYS = 3_650;

export const tokenIdParams = z.object({ id: id.meta({ param: { example: 'm3xk7qv5ta' } }) });

export const newTokenSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(100).meta({ description: 'What it is for.' }),
    scope: z.enum(SCOPES, `must be one of ${SCOPES.join(', ')}`),
    expires_in_days: z
      .int()
      .min(1)
      .max(MAX_DAYS)
      .nullable()
      .optional()
      .meta({ description: 'Without it, or with null, the token lasts until it is removed.' }),
  })
  .meta({
    id: 'NewToken',
    examples: [
      { name: 'ci', scope: 'deploy', expires_in_days: 90 },
      { name: 'status page', scope: 'read' },
    ],
  });
